package contract

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// NewGeneration returns a unique value of the parameter generation. With a hash, a node loads only
// that configuration.
func NewGeneration(now time.Time, salt uint32, hash string) string {
	word := fmt.Sprintf("%s-%08x", now.UTC().Format("20060102T150405Z"), salt)
	if hash != "" {
		word += "@" + hash
	}
	return word
}

// HashLength is the length of the hash that names a configuration: 48 bits tell those of a cluster
// apart.
const HashLength = 12

// Demanded returns the hash of the configuration that a generation demands, "" if it demands none.
func Demanded(generation string) string {
	i := strings.LastIndexByte(generation, '@')
	if i < 0 {
		return ""
	}
	hash := generation[i+1:]
	if len(hash) != HashLength || strings.Trim(hash, "0123456789abcdef") != "" {
		return ""
	}
	return hash
}

// ConfigFiles returns the files and directories of a configuration in the order in which HAProxy
// reads them: conffile, and those that extraconf adds. One that is not an absolute path is in the
// directory of -C, or else in the root directory, in which HAProxy is run.
func ConfigFiles(conffile string, extraconf []string) []string {
	files, dir := []string{conffile}, "/"
	for i, word := range extraconf {
		if word == "--" {
			// all that follow are files (Management Guide, section 3)
			files = append(files, extraconf[i+1:]...)
			break
		}
		// an option's other letters are of no meaning to HAProxy (src/haproxy.c, init_args)
		switch last := i+1 == len(extraconf); {
		case !last && strings.HasPrefix(word, "-f"):
			files = append(files, extraconf[i+1])
		case !last && strings.HasPrefix(word, "-C"):
			dir = extraconf[i+1]
		}
	}
	for i, file := range files {
		if !filepath.IsAbs(file) {
			files[i] = filepath.Join("/", dir, file)
		}
	}
	return files
}
