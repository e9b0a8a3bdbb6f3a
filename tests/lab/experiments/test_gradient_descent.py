from gradclinic.lab.catalogue import find
from gradclinic.lab.runner import run


def test_the_line_is_found_and_all_claims_hold():
    outcome = run(find("gradient-descent"))
    assert [claim.says for claim in outcome.claims if not claim.holds] == []
    rows = {row["optimizer"]: row for row in outcome.rows}
    # λ of the curvature is near 1, so that 0.1·38 e-folds take the excess to 1%.
    assert rows["gradient descent"]["arrived"] < 100
    assert rows["gradient descent"]["called_converged"] is not None
    assert rows["Adagrad"]["arrived"] > 5 * rows["gradient descent"]["arrived"]  # its rate falls like 1/√steps
