// Package routes says which address does what.
package routes

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/ginsvc/internal/config"
	"example.com/ginsvc/internal/greet"
	"example.com/ginsvc/internal/store"
	"example.com/ginsvc/internal/web"
)

// New returns the service's handler.
func New(cfg config.Config, notes *store.Store) http.Handler {
	gin.SetMode(gin.ReleaseMode) // no list of routes at every start
	router := gin.New()
	router.Use(gin.Recovery())
	if cfg.LogRequests {
		router.Use(gin.Logger())
	}
	router.SetHTMLTemplate(web.Templates())

	router.GET("/", func(c *gin.Context) {
		page := web.NewPage(config.Mode, c.Query("name"), notes.All())
		c.HTML(http.StatusOK, "index.html", page)
	})
	router.StaticFS("/static", web.Static())

	router.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	router.GET("/mode", func(c *gin.Context) { c.String(http.StatusOK, config.Mode+"\n") })
	router.GET("/hello", func(c *gin.Context) { c.String(http.StatusOK, greet.Hello(c.Query("name"))+"\n") })

	api := noteAPI{notes}
	router.GET("/notes", api.list)
	router.POST("/notes", api.create)
	router.GET("/notes/:id", api.read)
	router.PUT("/notes/:id", api.update)
	router.DELETE("/notes/:id", api.remove)
	return router
}
