package io.weft.admin;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * @param method of HTTP: GET, or POST where something changes
 * @param answer made anew each time that somebody asks, beginning on the admin socket's thread, which it must not block; an
 *     {@link IllegalArgumentException} is the asker's own fault, and told so
 */
public record AdminPage(String method, Function<AdminQuery, CompletionStage<AdminAnswer>> answer) {

    /** One that is always there and asks for nothing. */
    public static AdminPage reads(String contentType, Supplier<String> content) {
        return reads(query -> AdminAnswer.of(contentType, content.get()));
    }

    public static AdminPage reads(Function<AdminQuery, AdminAnswer> answer) {
        return new AdminPage("GET", answer.andThen(CompletableFuture::completedFuture));
    }

    public static AdminPage changes(Function<AdminQuery, AdminAnswer> answer) {
        return new AdminPage("POST", answer.andThen(CompletableFuture::completedFuture));
    }
}
