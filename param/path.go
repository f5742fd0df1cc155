package param

import (
	"errors"
	"path/filepath"
)

// ParsePath reads an absolute path and cleans it.
func ParsePath(text string) (string, error) {
	if !filepath.IsAbs(text) {
		return "", errors.New("is not an absolute path: begin with /")
	}
	return filepath.Clean(text), nil
}

// Path binds an absolute path, which it cleans. An empty default means "none"; an empty text is
// refused.
func Path(p *string, def string) Value {
	*p = def
	return bind("string", def, p, ParsePath)
}

// SecretPath is Path for a file that holds a secret: a refused value is not shown, since it may be
// the secret itself.
func SecretPath(p *string, def string) Value {
	*p = def
	v := bind("string", def, p, ParsePath)
	v.hide = true
	return v
}
