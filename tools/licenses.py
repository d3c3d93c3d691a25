"""The license that an installed package declares, as an SPDX expression.

`License-Expression` of the metadata is used as it is (PEP 639). Older metadata has a free text and
classifiers. They count only where they mean one license; `READ_FROM_TEXT` has the others.
"""

from importlib.metadata import PackageMetadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from tools.failure import ToolError
from tools.lock_file import normalized

# Read from the license text in the package, because its metadata is ambiguous or has no SPDX name.
READ_FROM_TEXT = {
    "colorama": "BSD-3-Clause",
    "httpx-aiohttp": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "rich-click": "MIT",
    "uvloop": "Apache-2.0 OR MIT",
}
_CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def license_of(metadata: PackageMetadata) -> str:
    """Return the SPDX license expression of an installed package.

    Raises:
        ToolError: the metadata has no single license, and `READ_FROM_TEXT` has none either.

    """
    fields = metadata.json
    name = normalized(str(fields["name"]))
    declared = (fields.get("license_expression"), fields.get("license"), READ_FROM_TEXT.get(name))
    found = next((known for text in declared if (known := _canonical(text))), None)
    if found := found or _classified(fields.get("classifier", [])):
        return found
    raise ToolError(
        f"{name} declares no single license: read the license text in the package, and add its"
        " SPDX expression to READ_FROM_TEXT in tools/licenses.py."
    )


def _canonical(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


def _classified(classifiers: object) -> str | None:
    """Return the license of the only license classifier, if there is one that means one license."""
    given = classifiers if isinstance(classifiers, list) else []
    licenses = [each for each in given if each.startswith("License ::")]
    return _CLASSIFIERS.get(licenses[0]) if len(licenses) == 1 else None
