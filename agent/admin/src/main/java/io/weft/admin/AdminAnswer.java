package io.weft.admin;

/**
 * @param status of HTTP
 * @param contentType of HTTP
 */
public record AdminAnswer(int status, String contentType, String content) {
    public static final String TEXT = "text/plain; charset=utf-8";
    public static final String JSON = "application/json";

    public static AdminAnswer of(String contentType, String content) {
        return new AdminAnswer(200, contentType, content);
    }

    public static AdminAnswer text(String content) {
        return of(TEXT, content);
    }

    public static AdminAnswer json(String content) {
        return of(JSON, content);
    }
}
