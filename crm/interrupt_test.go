package crm_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// A write that has begun when Ctrl-C comes is brought to its end, so that what is said of it is true. Before it has begun nothing is written.
func TestAWriteIsNotInterruptedHalfWay(t *testing.T) {
	_, path := onFile(t, crmtest.Seed("lb-1"))
	dir := t.TempDir()
	for _, tool := range []string{"crm_diff", "crm_verify", "crm_simulate"} {
		require.NoError(t, os.Symlink(needs.Command(t, tool), filepath.Join(dir, tool)))
	}
	begun := filepath.Join(dir, "begun")
	slow := "#!/bin/sh\n[ \"$1\" = --patch ] && { touch " + begun + "; sleep 0.5; }\nexec " + needs.Command(t, "cibadmin") + " \"$@\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cibadmin"), []byte(slow), 0o700))
	tools := &crm.Tools{Dir: dir, Env: append(os.Environ(), "CIB_file="+path)}

	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	cib, err := tools.Query(ctx)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: shell(t, "property stonith-enabled=false")})
	require.NoError(t, err)
	_, err = tools.Check(ctx, plan)
	require.NoError(t, err)
	go func() {
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(begun); err == nil {
				break
			}
		}
		interrupt()
	}()
	require.NoError(t, tools.Apply(ctx, plan))
	cib, err = tools.Query(context.Background())
	require.NoError(t, err)
	value, _ := cib.Property("stonith-enabled")
	require.Equal(t, "false", value)

	plan, err = crm.Diff(cib, crm.Spec{Objects: shell(t, "property no-quorum-policy=freeze")})
	require.NoError(t, err)
	err = tools.Apply(ctx, plan)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, crm.ErrUnwritten)
	require.EqualError(t, err, "interrupted: the change was not written")
	cib, err = tools.Query(context.Background())
	require.NoError(t, err)
	_, written := cib.Property("no-quorum-policy")
	require.False(t, written)
}
