package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// What is read at most. The largest configurations that are known have some thousand lines.
const (
	maxBytes   = 8 << 20 // of all files together
	maxFiles   = 1000
	maxDepth   = 32      // of includes
	maxLines   = 200_000 // of all files
	maxMade    = 20_000  // that sequences and definitions lead to
	maxList    = 10_000  // in one list
	maxNotices = 20_000
	maxSteps   = 1000 // substitutions in one line
	longest    = 1023 // keepalived's buffer is 1024 bytes
	maxPattern = 1000 // that braces of an include lead to
	maxNesting = 64   // of blocks
)

// Files is where files are read.
type Files interface {
	// Read returns a file of at most limit bytes, and whether somebody may execute it. Whatever is
	// no regular file is an error.
	Read(path string, limit int64) (text []byte, executable bool, err error)
	// Match returns the files that a pattern without braces stands for, sorted.
	Match(pattern string) ([]string, error)
}

// errNoFile is what is wrong with a directory, a device or a pipe.
var errNoFile = errors.New("it is no regular file")

// machine is the file system of this machine.
type machine struct{}

// Read opens without waiting, so that a pipe that nobody writes to holds nobody up.
func (machine) Read(path string, limit int64) (text []byte, executable bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, false, err
	}
	defer func() { _ = f.Close() }()
	about, err := f.Stat()
	switch {
	case err != nil:
		return nil, false, err
	case !about.Mode().IsRegular():
		return nil, false, errNoFile
	case about.Size() > limit:
		return nil, false, tooLarge(about.Size())
	}
	text, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = tooLarge(int64(len(text)))
	}
	return text, about.Mode()&0o111 != 0, err
}

func tooLarge(size int64) error {
	return fmt.Errorf("it is larger than a configuration of keepalived can be: with its %d bytes all "+
		"files have more than %d MiB", size, maxBytes>>20)
}

// Match passes over hidden files, as glob(3) does.
func (machine) Match(pattern string) ([]string, error) {
	found, err := filepath.Glob(strings.ReplaceAll(pattern, "[!", "[^"))
	if err != nil {
		return nil, err
	}
	hidden := strings.HasPrefix(filepath.Base(pattern), ".")
	found = slices.DeleteFunc(found, func(path string) bool {
		return !hidden && strings.HasPrefix(filepath.Base(path), ".")
	})
	slices.Sort(found)
	return found, nil
}

// physicalLines cuts a file into its lines.
func physicalLines(pos Pos, text []byte) ([]string, error) {
	if at := bytes.IndexByte(text, 0); at >= 0 {
		pos.Line = 1 + bytes.Count(text[:at], []byte("\n"))
		return nil, &Fault{pos, "it has a NUL byte: expected a keepalived.conf, which is text"}
	}
	lines := strings.Split(strings.ToValidUTF8(string(text), "\uFFFD"), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, "\r")
	}
	return lines, nil
}
