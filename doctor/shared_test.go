package doctor

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJudging(t *testing.T) {
	judge := func(_ context.Context, word string) ([]Finding, error) {
		return []Finding{{What: word}}, nil
	}
	reads := func(word string, err error) Check {
		return Judging(Check{Name: "one"}, func(context.Context) (string, error) { return word, err },
			judge)
	}
	c := reads("bad", nil)
	require.Equal(t, "one", c.Name)
	found, err := c.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Finding{{What: "bad"}}, found)

	found, err = reads("", errors.New("no answer")).Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, found, "another check reports it")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = reads("", ctx.Err()).Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAskAll(t *testing.T) {
	found := AskAll([]string{"a", "", "b"}, func(word string) *Finding {
		if word == "" {
			return nil
		}
		return &Finding{What: word}
	})
	require.Equal(t, []Finding{{What: "a"}, {What: "b"}}, found)
}
