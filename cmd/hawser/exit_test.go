package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// A kind without a row would end the program with 0, as if all were well.
func TestEveryKindOfErrorHasAnExitCode(t *testing.T) {
	for _, kind := range outcome.Kinds() {
		assert.NotEqualf(t, exitOK, exitCode(outcome.Errorf(kind, "it failed")), "kind %d", kind)
	}
}
