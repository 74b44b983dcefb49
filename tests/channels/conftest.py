"""The contract suite lives outside tests/, and should tell as much as a test when it fails."""

import pytest

pytest.register_assert_rewrite("broker.testing")
