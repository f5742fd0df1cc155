package param_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/param"
)

func TestWellAfter(t *testing.T) {
	times, err := param.ParseWellAfter(" 5m 60s\t300 1h ")
	require.NoError(t, err)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, time.Hour}, times)
	times, err = param.ParseWellAfter("")
	require.NoError(t, err)
	require.Empty(t, times)
	for wrong, why := range map[string]string{
		"soon":   `"soon", which is not a length of time`,
		"60s,5m": "is not a length of time",
		"500ms":  "whole seconds",
		"0":      "whole seconds",
	} {
		_, err := param.ParseWellAfter(wrong)
		require.ErrorContains(t, err, why, wrong)
	}
	var words []string
	for i := range param.MostWellAfter + 1 {
		words = append(words, param.FormatDuration(time.Duration(i+1)*time.Second))
	}
	_, err = param.ParseWellAfter(strings.Join(words, " "))
	require.ErrorContains(t, err, "at most 16 are possible")
}
