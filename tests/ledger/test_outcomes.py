"""A batch's outcomes come back from their compact value as they were."""

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.answers import Accepted, Rejected, Unconfirmed
from worker.ledger.outcomes import Outcomes, pack_outcomes, unpack_outcomes

text = st.text(max_size=6)
outcome = st.one_of(
    st.builds(Accepted, gateway_id=text, code=text),
    st.builds(Rejected, code=text, reason=text),
    st.builds(Unconfirmed, reason=text, code=text),
)


@given(sent_at=st.floats(min_value=0, max_value=4e9), messages=st.lists(outcome, max_size=5))
def test_outcomes_come_back_as_they_were(sent_at, messages):
    outcomes = Outcomes(sent_at=sent_at, messages=tuple(messages))
    assert unpack_outcomes(pack_outcomes(outcomes)) == outcomes


def test_a_batch_that_was_refused_whole_is_stored_once():
    refused = (Rejected(code="40203", reason="every number of the batch is invalid"),) * 100
    assert len(pack_outcomes(Outcomes(sent_at=1.8e9, messages=refused))) < 200
