"""How many files a process may have open. A kernel with TensorFlow and its sockets has about 64."""

try:
    import resource
except ImportError:  # on Windows, which has no such limit
    resource = None  # type: ignore[assignment]

OPEN_FILES = 128  # needed


def open_files() -> int:
    """The limit of this process and its children, raised to ``OPEN_FILES`` where the system lets it."""
    if resource is None:
        return OPEN_FILES
    soft, hard = (
        OPEN_FILES if limit == resource.RLIM_INFINITY else limit
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    if soft < min(OPEN_FILES, hard):
        soft = min(OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return soft


def too_few_files() -> str:
    """A sentence where the limit is too low; else empty."""
    limit = open_files()
    if limit >= OPEN_FILES:
        return ""
    return f"a process may have {limit} files open; {OPEN_FILES} are needed, give it more: ulimit -n 1024"
