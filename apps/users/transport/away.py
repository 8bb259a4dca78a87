"""What every pager answers that does not answer."""


class PagerAway(Exception):
    """It has not said that it has the page. The text names no address: that is a secret of who listens there."""
