package crm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// counted counts the questions.
type counted struct {
	*crmtest.Fake
	queries, statuses atomic.Int32
	hang              chan struct{}
}

func (c *counted) Query(ctx context.Context) (*crm.CIB, error) {
	c.queries.Add(1)
	if c.hang != nil {
		<-c.hang
	}
	return c.Fake.Query(ctx)
}

func (c *counted) Status(ctx context.Context) (*crm.Status, error) {
	c.statuses.Add(1)
	return c.Fake.Status(ctx)
}

func TestOnceAsksOnce(t *testing.T) {
	c := &counted{Fake: crmtest.New("lb-1")}
	once := crm.NewOnce(c)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			s, err := crm.Read(t.Context(), once)
			if err != nil || s.CIB == nil || s.Status == nil {
				t.Error(s, err)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 1, c.queries.Load())
	require.EqualValues(t, 1, c.statuses.Load())

	c.Fail("Private", errors.New("hangs"))
	for range 2 {
		_, err := once.Private(t.Context(), "hawser")
		require.ErrorContains(t, err, "hangs", "an error is an answer too")
	}
}

// A caller whose time is over does not wait for the answer that another waits for.
func TestOnceLeavesWhoeverWaits(t *testing.T) {
	c := &counted{Fake: crmtest.New("lb-1"), hang: make(chan struct{})}
	once := crm.NewOnce(c)
	done := make(chan error)
	go func() {
		_, err := once.Query(context.Background())
		done <- err
	}()
	require.Eventually(t, func() bool { return c.queries.Load() == 1 }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := once.Query(ctx)
	require.ErrorIs(t, err, context.Canceled)
	close(c.hang)
	require.NoError(t, <-done)
}

func TestSavedAsksWhereThereIsNoFile(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "cib.xml")
	boom := errors.New("asked")
	for _, text := range []string{"", "<cib>", "not XML"} {
		if text != "" {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		}
		fake.Fail("Query", boom)
		_, err = crm.Saved(t.Context(), file, fake)
		require.ErrorIs(t, err, boom, text)
	}
	require.NoError(t, os.WriteFile(file, cib.XML(), 0o600))
	fake.Fail("Query", boom)
	saved, err := crm.Saved(t.Context(), file, fake)
	require.NoError(t, err)
	require.Equal(t, []string{"lb-1", "lb-2"}, saved.Nodes())
}
