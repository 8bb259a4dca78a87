"""Bodies that mean what they say: numbers are numbers, unknown names are refused."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

LONGEST_CODE = 20


class WholeNumber(serializers.IntegerField):
    """An integer of JSON: neither a text of digits nor a boolean."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class YesOrNo(serializers.BooleanField):
    """A boolean of JSON."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class Text(serializers.CharField):
    """A text of JSON."""

    def to_internal_value(self, data: Any) -> str:
        if type(data) is not str:
            self.fail("invalid")
        return super().to_internal_value(data)


class Code(Text):
    """Six digits of a second factor; empty unless somebody is asked for it."""

    def __init__(self, *, needed: bool = False) -> None:
        settings: dict[str, Any] = {"required": True} if needed else {"default": "", "allow_blank": True}
        super().__init__(max_length=LONGEST_CODE, write_only=True, **settings)


class StrictSerializer(serializers.Serializer):
    """A body with a field that nobody reads is a mistake of the sender, who should know."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {name: ["Unknown field."] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)
