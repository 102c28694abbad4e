"""What Atlas Images usually have in their headers, for where none is at hand."""

__all__ = ["MAGZP"]

#: Zero points, magnitude of 1 DN, by band: 2000-10-22 s 62, coadd 186. In Ks those of 1999-05-02
#: have 19.93.
MAGZP = {"j": 21.0034, "h": 20.4978, "k": 19.9801}
