package routes

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"example.com/ginsvc/internal/store"
)

// noteAPI serves /notes as JSON.
type noteAPI struct {
	notes *store.Store
}

// noteBody is what POST and PUT take.
type noteBody struct {
	Title string `json:"title" binding:"required,max=100"`
	Text  string `json:"text" binding:"max=10000"`
}

func (a noteAPI) list(c *gin.Context) {
	c.JSON(http.StatusOK, a.notes.All())
}

func (a noteAPI) create(c *gin.Context) {
	var body noteBody
	if err := c.ShouldBindJSON(&body); err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	c.JSON(http.StatusCreated, a.notes.Add(body.Title, body.Text))
}

func (a noteAPI) read(c *gin.Context) {
	id, ok := noteID(c)
	if !ok {
		return
	}
	note, err := a.notes.Get(id)
	if err != nil {
		fail(c, status(err), err)
		return
	}
	c.JSON(http.StatusOK, note)
}

func (a noteAPI) update(c *gin.Context) {
	id, ok := noteID(c)
	if !ok {
		return
	}
	var body noteBody
	if err := c.ShouldBindJSON(&body); err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	note, err := a.notes.Update(id, body.Title, body.Text)
	if err != nil {
		fail(c, status(err), err)
		return
	}
	c.JSON(http.StatusOK, note)
}

func (a noteAPI) remove(c *gin.Context) {
	id, ok := noteID(c)
	if !ok {
		return
	}
	if err := a.notes.Delete(id); err != nil {
		fail(c, status(err), err)
		return
	}
	c.Status(http.StatusNoContent)
}

// noteID reads the :id of the path. When that is not a number it has answered.
func noteID(c *gin.Context) (int, bool) {
	id, err := strconv.Atoi(c.Param("id"))
	if err != nil {
		fail(c, http.StatusBadRequest, errors.New("the id of a note is a number"))
		return 0, false
	}
	return id, true
}

func status(err error) int {
	if errors.Is(err, store.ErrNotFound) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

func fail(c *gin.Context, code int, err error) {
	c.JSON(code, gin.H{"error": err.Error()})
}
