package contract

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
)

// Pack turns a text into a value that XML can hold: gzip, then base64.
func Pack(text []byte) string {
	var b bytes.Buffer
	// the level is valid, and a buffer accepts everything
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(text)
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Unpack reverses Pack. It refuses a result longer than the limit: somebody else may have written
// the value.
func Unpack(packed string, limit int) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > limit:
		return nil, fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return text, nil
}
