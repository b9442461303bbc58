package com.example.shop;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Collections;

/** The shop's page. */
@WebServlet("")
public class PageServlet extends HttpServlet {
    private static final String CANARY = "x-canary";

    private final transient HttpClient client = HttpClient.newHttpClient();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        HttpRequest.Builder order = HttpRequest.newBuilder(URI.create("http://orders/orders/42"));
        Collections.list(request.getHeaders(CANARY)).forEach(value -> order.header(CANARY, value));
        try {
            HttpResponse<String> answer = client.send(order.build(), HttpResponse.BodyHandlers.ofString());
            response.setStatus(answer.statusCode());
            response.setContentType("application/json");
            response.getWriter().printf("{\"service\":\"shop\",\"order\":%s}", answer.body());
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            throw new IOException(stopping);
        }
    }
}
