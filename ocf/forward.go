package ocf

import (
	"time"

	"github.com/hawser-ha/hawser/param"
)

// ParseDuration is param.ParseDuration.
func ParseDuration(text string) (time.Duration, error) { return param.ParseDuration(text) }

// SplitWords is param.SplitWords.
func SplitWords(text string) ([]string, error) { return param.SplitWords(text) }
