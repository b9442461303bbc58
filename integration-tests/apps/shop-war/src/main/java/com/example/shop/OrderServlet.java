package com.example.shop;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** The orders. */
@WebServlet("/orders/*")
public class OrderServlet extends HttpServlet {
    private static final String VERSION = System.getenv().getOrDefault("SHOP_VERSION", "v1");

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        long id = Long.parseLong(request.getPathInfo().substring(1));
        response.setContentType("application/json");
        response.getWriter().printf("{\"id\":%d,\"version\":\"%s\",\"instance\":\"%d\"}", id, VERSION, ProcessHandle.current().pid());
    }
}
