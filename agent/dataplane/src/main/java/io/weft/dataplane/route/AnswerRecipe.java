package io.weft.dataplane.route;

import io.weft.dataplane.HeaderMutations;
import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.RouteAction.DirectResponse;
import io.weft.policy.model.RouteAction.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Makes the reply of a redirect or a direct response, as Envoy's router does. Immutable. */
abstract sealed class AnswerRecipe {

    abstract LocalReply reply(RequestHead request, StreamInfo info);

    static AnswerRecipe of(DirectResponse response, HeaderMutations headers) {
        byte[] body = response.body().getBytes(StandardCharsets.UTF_8);
        return headers.constant()
                ? new Fixed(complete(response.status(), List.of(), body, headers, null, null))
                : new Computed(response.status(), body, headers);
    }

    static AnswerRecipe of(Redirect redirect, PathTest path, HeaderMutations headers) {
        return new Location(redirect, path, headers);
    }

    /** What a virtual host that requires TLS says to a request in plaintext. */
    static AnswerRecipe toHttps() {
        return new ToHttps();
    }

    /** Of the body's length and type the route may set the type. */
    private static LocalReply complete(
            int status,
            List<Map.Entry<String, String>> own,
            byte[] body,
            HeaderMutations mutations,
            RequestHead request,
            StreamInfo info) {
        HeaderOverlay changed = new HeaderOverlay(name -> name.equals(":status") ? Integer.toString(status) : null);
        for (Map.Entry<String, String> header : own) {
            changed.set(header.getKey(), header.getValue());
        }
        mutations.changeResponse(changed, request, info);
        changed.remove("content-length");
        if (body.length == 0) {
            changed.remove("content-type");
        } else {
            changed.set("content-length", Integer.toString(body.length));
            if (changed.header("content-type") == null) {
                changed.set("content-type", "text/plain");
            }
        }
        return changed.applyTo(new LocalReply(status, List.of(), body));
    }

    private static final class Fixed extends AnswerRecipe {
        private final LocalReply reply;

        Fixed(LocalReply reply) {
            this.reply = reply;
        }

        @Override
        LocalReply reply(RequestHead request, StreamInfo info) {
            return reply;
        }
    }

    private static final class Computed extends AnswerRecipe {
        private final int status;
        private final byte[] body;
        private final HeaderMutations headers;

        Computed(int status, byte[] body, HeaderMutations headers) {
            this.status = status;
            this.body = body;
            this.headers = headers;
        }

        @Override
        LocalReply reply(RequestHead request, StreamInfo info) {
            return complete(status, List.of(), body, headers, request, info);
        }
    }

    private static final class ToHttps extends AnswerRecipe {
        @Override
        LocalReply reply(RequestHead request, StreamInfo info) {
            String location = "https://" + request.authority() + request.path();
            return new LocalReply(301, List.of(Map.entry("location", location)), new byte[0]);
        }
    }

    private static final class Location extends AnswerRecipe {
        private final Redirect redirect;
        private final PathChange rewrite;
        private final HeaderMutations headers;

        Location(Redirect redirect, PathTest path, HeaderMutations headers) {
            this.redirect = redirect;
            this.rewrite = redirect.rewrite().isEmpty() ? null : PathChange.of(redirect.rewrite().get(), path);
            this.headers = headers;
        }

        /** As in Envoy, the headers are made of the request with its new path, and a path of which nothing is left stays. */
        @Override
        LocalReply reply(RequestHead request, StreamInfo info) {
            String target = rewrite == null ? "" : rewrite.apply(request.path());
            RequestHead rewritten = target.isEmpty() || target.charAt(0) == '?' ? request : new Rewritten(request, target);
            List<Map.Entry<String, String>> location = List.of(Map.entry("location", location(rewritten)));
            return complete(redirect.status(), location, new byte[0], headers, rewritten, info);
        }

        private String location(RequestHead request) {
            String scheme = redirect.scheme().orElse(request.scheme());
            String port = redirect.port() == 0 ? "" : ":" + redirect.port();
            String host = redirect.host().isPresent() ? redirect.host().get() : host(request, scheme, port);
            return scheme + "://" + host + port + path(request.path());
        }

        /** The request's own, without a port that is replaced or that was the default of a scheme that changes. */
        private static String host(RequestHead request, String scheme, String port) {
            String authority = request.authority();
            int portStart = Authority.portStart(authority);
            if (portStart < 0) {
                return authority;
            }
            String oldPort = authority.substring(portStart);
            boolean isDefault = request.scheme().equals("https") ? oldPort.equals(":443") : oldPort.equals(":80");
            boolean drop = !port.isEmpty() || isDefault && !scheme.equals(request.scheme());
            return drop ? authority.substring(0, portStart) : authority;
        }

        /** Begins with a slash, whatever the policy says. */
        private String path(String target) {
            String path = replaced(target);
            return path.startsWith("/") ? path : '/' + path;
        }

        /** A new path that has a query of its own keeps that and nothing else, stripped or not. */
        private String replaced(String target) {
            String changed = target;
            if (redirect.path().isPresent()) {
                String replacement = redirect.path().get();
                if (replacement.indexOf('?') >= 0) {
                    return replacement;
                }
                int query = target.indexOf('?');
                changed = query < 0 ? replacement : replacement + target.substring(query);
            }
            int query = changed.indexOf('?');
            return redirect.stripQuery() && query >= 0 ? changed.substring(0, query) : changed;
        }
    }

    /** @param path the new one */
    private record Rewritten(RequestHead original, String path) implements RequestHead {
        private static final String ORIGINAL = "x-envoy-original-path";

        @Override
        public String method() {
            return original.method();
        }

        @Override
        public String scheme() {
            return original.scheme();
        }

        @Override
        public String authority() {
            return original.authority();
        }

        @Override
        public String header(String name) {
            return name.equals(ORIGINAL) ? original.path() : original.header(name);
        }

        @Override
        public List<String> values(String name) {
            return name.equals(ORIGINAL) ? List.of(original.path()) : original.values(name);
        }
    }
}
