"""Settings of the documentation."""

project = "twomass_nb"
copyright = "2026, the twomass_nb developers"  # noqa: A001
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
numpydoc_show_class_members = False
exclude_patterns = ["_build"]
html_theme = "alabaster"
