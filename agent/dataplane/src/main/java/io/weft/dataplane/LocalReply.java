package io.weft.dataplane;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A response that the mesh gives without asking anyone: a redirect, a direct response, no healthy endpoint. Complete: the
 * route's response header changes are in it, and the body's length and type.
 *
 * @param headers names in lower case, in order
 */
public record LocalReply(int status, List<Map.Entry<String, String>> headers, byte[] body) implements Headers {
    @Override
    public String header(String name) {
        String joined = null;
        for (Map.Entry<String, String> header : headers) {
            if (header.getKey().equals(name)) {
                joined = joined == null ? header.getValue() : joined + ',' + header.getValue();
            }
        }
        return joined;
    }

    /** For libraries that give one to the app; as in RFC 9110, section 15, and empty for what is not there. */
    public String reason() {
        return switch (status) {
            case 200 -> "OK";
            case 201 -> "Created";
            case 202 -> "Accepted";
            case 204 -> "No Content";
            case 301 -> "Moved Permanently";
            case 302 -> "Found";
            case 303 -> "See Other";
            case 304 -> "Not Modified";
            case 307 -> "Temporary Redirect";
            case 308 -> "Permanent Redirect";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 408 -> "Request Timeout";
            case 409 -> "Conflict";
            case 410 -> "Gone";
            case 413 -> "Content Too Large";
            case 429 -> "Too Many Requests";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            default -> "";
        };
    }

    /**
     * The same for a gRPC client, as Envoy says it: status 200 and, in its headers, what the HTTP status means to gRPC, with the
     * text as the message.
     */
    public LocalReply forGrpc() {
        return forGrpc(grpcStatus());
    }

    /** @param grpcStatus other than what the HTTP status means */
    LocalReply forGrpc(int grpcStatus) {
        if (header("grpc-status") != null) {
            return this;
        }
        List<Map.Entry<String, String>> forGrpc = new ArrayList<>();
        forGrpc.add(Map.entry("content-type", "application/grpc"));
        forGrpc.add(Map.entry("grpc-status", Integer.toString(grpcStatus)));
        if (body.length > 0) {
            forGrpc.add(Map.entry("grpc-message", grpcMessage()));
        }
        for (Map.Entry<String, String> header : headers) {
            if (!header.getKey().equals("content-length") && !header.getKey().equals("content-type")) {
                forGrpc.add(header);
            }
        }
        return new LocalReply(200, List.copyOf(forGrpc), new byte[0]);
    }

    /** To a HEAD request, which gets no text: so Envoy has it for gRPC, too. */
    LocalReply withoutGrpcMessage() {
        return new LocalReply(
                status, headers.stream().filter(header -> !header.getKey().equals("grpc-message")).toList(), body);
    }

    private int grpcStatus() {
        return grpcStatus(status);
    }

    /** What a status of HTTP is to gRPC, by gRPC's own mapping. */
    public static int grpcStatus(int status) {
        return switch (status) {
            case 400 -> 13; // INTERNAL
            case 401 -> 16; // UNAUTHENTICATED
            case 403 -> 7; // PERMISSION_DENIED
            case 404 -> 12; // UNIMPLEMENTED
            case 429, 502, 503, 504 -> 14; // UNAVAILABLE
            default -> 2; // UNKNOWN
        };
    }

    /** Percent-encoded as gRPC over HTTP/2 wants it. */
    private String grpcMessage() {
        StringBuilder message = new StringBuilder(body.length);
        for (byte b : body) {
            if (b >= ' ' && b <= '~' && b != '%') {
                message.append((char) b);
            } else {
                message.append('%')
                        .append(Character.toUpperCase(Character.forDigit(b >> 4 & 15, 16)))
                        .append(Character.toUpperCase(Character.forDigit(b & 15, 16)));
            }
        }
        return message.toString();
    }

    /**
     * For a gRPC client: an error that is no HTTP error, in the headers.
     *
     * @param message ASCII without a percent sign
     */
    public static LocalReply grpc(int status, String message) {
        return new LocalReply(
                200,
                List.of(
                        Map.entry("content-type", "application/grpc"),
                        Map.entry("grpc-status", Integer.toString(status)),
                        Map.entry("grpc-message", message)),
                new byte[0]);
    }

    /** With one more header. */
    LocalReply with(String name, String value) {
        List<Map.Entry<String, String>> more = new ArrayList<>(headers);
        more.add(Map.entry(name, value));
        return new LocalReply(status, List.copyOf(more), body);
    }

    /** Plain text with the headers that Envoy gives it; without text just the status. */
    public static LocalReply of(int status, String text) {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        if (body.length == 0) {
            return new LocalReply(status, List.of(), body);
        }
        return new LocalReply(
                status,
                List.of(Map.entry("content-length", Integer.toString(body.length)), Map.entry("content-type", "text/plain")),
                body);
    }
}
