import pytest

from gradclinic import Guard, UserError


@pytest.mark.parametrize("times", [-1, 1.5, True, "3"])
def test_what_is_no_number_of_times_is_said_in_one_line(times):
    with pytest.raises(UserError, match="0 times or more"):
        Guard(times=times)
