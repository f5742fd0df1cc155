package lab_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

func TestMain(m *testing.M) {
	lab.Reexec()
	os.Exit(m.Run())
}

func TestUp(t *testing.T) {
	ctx := context.Background()
	l, err := lab.Up(ctx, lab.Options{Name: "t1", Progress: os.Stderr})
	require.NoError(t, err)
	t0 := time.Now()
	out, _, err := l.Exec(ctx, "lb-1", "crm_mon", "-1")
	require.NoError(t, err)
	t.Log(out, time.Since(t0))
	if os.Getenv("KEEP") == "" {
		t0 = time.Now()
		require.NoError(t, l.Down(ctx))
		t.Log("down", time.Since(t0))
	}
}
