package once_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/once"
)

// Many callers have one answer, an error too.
func TestAskedOnce(t *testing.T) {
	for _, want := range []error{nil, errors.New("no answer")} {
		a, asked := once.New[int](), 0
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				got, err := a.Get(t.Context(),
					func(context.Context) (int, error) { asked++; return 7, want })
				if got != 7 || !errors.Is(err, want) {
					t.Errorf("%d, %v", got, err)
				}
			})
		}
		callers.Wait()
		require.Equal(t, 1, asked)
	}
}

// Whoever waits for another's answer does so until his own deadline.
func TestWaitingEnds(t *testing.T) {
	a, asking, done := once.New[int](), make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = a.Get(context.Background(), func(context.Context) (int, error) {
			close(asking)
			<-done
			return 1, nil
		})
	}()
	<-asking
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Get(ctx, func(context.Context) (int, error) { return 2, nil })
	require.ErrorIs(t, err, context.Canceled)
	close(done)
	got, err := a.Get(t.Context(), func(context.Context) (int, error) { return 2, nil })
	require.NoError(t, err)
	require.Equal(t, 1, got)
}
