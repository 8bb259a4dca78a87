"""What can go wrong with one request, in ClickHouse's own codes and names."""

import re

NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
CANNOT_DECOMPRESS = 271
READONLY = 164
TOO_LARGE_STRING_SIZE = 131
ABORTED = 236

# The client takes 429, 503 and 504 for an outage and may ask again: only for what ends with this process.
HTTP_STATUS = {
    46: 404,  # UNKNOWN_FUNCTION
    47: 404,  # UNKNOWN_IDENTIFIER
    48: 501,
    50: 404,  # UNKNOWN_TYPE
    60: 404,  # UNKNOWN_TABLE
    62: 400,
    73: 404,  # UNKNOWN_FORMAT
    81: 404,  # UNKNOWN_DATABASE
    115: 404,  # UNKNOWN_SETTING
    131: 413,
    159: 408,  # TIMEOUT_EXCEEDED
    164: 403,
    236: 503,
    271: 400,
}
CODE = re.compile(r"Code: (\d+)\. ")


class QueryError(Exception):
    """One request failed; `text` reads as a server's answer: `Code: 60. DB::Exception: ... (UNKNOWN_TABLE)`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def http_status(self) -> int:
        return HTTP_STATUS.get(self.code, 500)

    @classmethod
    def refused(cls, code: int, name: str, message: str) -> "QueryError":
        """What this gateway itself does not do."""
        return cls(code, f"Code: {code}. DB::Exception: {message} ({name})")

    @classmethod
    def of(cls, error: Exception) -> "QueryError":
        """An engine's exception; whatever its wrapper put before the code is cut."""
        text = str(error)
        found = CODE.search(text)
        if found is None:
            return cls(1001, f"Code: 1001. DB::Exception: {text} (STD_EXCEPTION)")
        return cls(int(found[1]), text[found.start() :].strip())
