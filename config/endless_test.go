package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A file without an end is refused, and not read into memory.
func TestEndlessFile(t *testing.T) {
	_, err := Read("/dev/zero")
	require.EqualError(t, err, "/dev/zero: is longer than 64 KiB: this is not a hawser.yaml")
}
