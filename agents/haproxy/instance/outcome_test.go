package instance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A push during which HAProxy dies is answered by what the next one has loaded.
func TestOutcomeOfALoadingAfterACrash(t *testing.T) {
	l := Loading{Config: "new"}
	require.NoError(t, l.outcomeAfterCrash("new"))
	require.ErrorIs(t, l.outcomeAfterCrash(""), ErrUnknownLoaded)
	require.ErrorIs(t, l.outcomeAfterCrash("former"), ErrDied)
	require.ErrorIs(t, l.outcomeAfterCrash("repaired by hand"), ErrDied)
}
