package keeper

import (
	"path/filepath"
	"testing"
)

// Where hawser is not installed nothing happens.
func TestWithoutHawser(t *testing.T) {
	examine(t.Context(), filepath.Join(t.TempDir(), "hawser"))
}
