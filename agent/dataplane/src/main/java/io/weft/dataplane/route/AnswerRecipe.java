package io.weft.dataplane.route;

import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestHead;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.RouteAction.DirectResponse;
import io.weft.policy.model.RouteAction.Redirect;
import java.util.List;
import java.util.Map;

/** Makes the reply of a redirect or a direct response, as Envoy's router does. Immutable. */
abstract sealed class AnswerRecipe {

    abstract LocalReply reply(RequestHead request);

    static AnswerRecipe of(DirectResponse response, List<HeaderChanges> levels) {
        return new Fixed(edited(LocalReply.of(response.status(), response.body()), levels));
    }

    static AnswerRecipe of(Redirect redirect, PathTest path, List<HeaderChanges> levels) {
        return new Location(redirect, path, levels);
    }

    /** The response header changes of the levels, most specific first. */
    private static LocalReply edited(LocalReply reply, List<HeaderChanges> levels) {
        HeaderOverlay headers = new HeaderOverlay(reply);
        levels.forEach(headers::applyToResponse);
        return headers.applyTo(reply);
    }

    private static final class Fixed extends AnswerRecipe {
        private final LocalReply reply;

        Fixed(LocalReply reply) {
            this.reply = reply;
        }

        @Override
        LocalReply reply(RequestHead request) {
            return reply;
        }
    }

    private static final class Location extends AnswerRecipe {
        private final Redirect redirect;
        private final PathTest path;
        private final List<HeaderChanges> levels;

        Location(Redirect redirect, PathTest path, List<HeaderChanges> levels) {
            this.redirect = redirect;
            this.path = path;
            this.levels = levels;
        }

        @Override
        LocalReply reply(RequestHead request) {
            LocalReply reply = new LocalReply(
                    redirect.status(), List.of(Map.entry("location", location(request))), new byte[0]);
            return edited(reply, levels);
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

        /** A new path that has a query of its own keeps that and nothing else, stripped or not. */
        private String path(String target) {
            String changed = target;
            if (redirect.path().isPresent()) {
                String replacement = redirect.path().get();
                if (replacement.indexOf('?') >= 0) {
                    return replacement;
                }
                int query = target.indexOf('?');
                changed = query < 0 ? replacement : replacement + target.substring(query);
            } else if (redirect.replacePrefix().isPresent()) {
                changed = redirect.replacePrefix().get() + target.substring(path.matchedLength(target));
            }
            int query = changed.indexOf('?');
            return redirect.stripQuery() && query >= 0 ? changed.substring(0, query) : changed;
        }
    }
}
