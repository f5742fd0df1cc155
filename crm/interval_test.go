package crm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15": 15 * time.Second, "15s": 15 * time.Second, "2 min": 2 * time.Minute, "0": 0,
		"500ms": 500 * time.Millisecond,
		"15S":   15 * time.Second, // crm_get_msec() does not look at the case
	} {
		d, err := crm.ParseInterval(text)
		require.NoError(t, err, text)
		require.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "soon", "-1s", "1.5s", "PT15S", "99999999999h"} {
		_, err := crm.ParseInterval(text)
		require.Error(t, err, text)
	}
}
