package io.weft.dataplane.jwt;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.jwt.TokenLocations.Found;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.OfProvider;
import io.weft.policy.model.JwtAuthentication.Provider;
import io.weft.policy.model.JwtAuthentication.Requirement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@link Requirement} made ready. Thread-safe. */
abstract class TokenRequirement {

    /** @param now seconds since 1970 */
    abstract JwtStatus verify(HttpStream stream, long now);

    /** Whether a token of the request needs keys that will be there, or known to be missing, soon. */
    abstract boolean waitsForKeys(HttpStream stream);

    static TokenRequirement of(Requirement requirement, Map<String, Provider> providers, Map<String, TokenCheck> checks) {
        if (requirement instanceof OfProvider of) {
            return new Single(
                    checks.get(of.provider()), new TokenLocations(List.of(providers.get(of.provider()))), of.audiences());
        }
        if (requirement instanceof JwtAuthentication.RequiresAll all) {
            return new All(all.all().stream().map(it -> of(it, providers, checks)).toList());
        }
        if (requirement instanceof JwtAuthentication.RequiresAny any) {
            return any(any, providers, checks);
        }
        if (requirement instanceof JwtAuthentication.AllowMissing) {
            return new Optional(false, new TokenLocations(providers.values()), checks);
        }
        if (requirement instanceof JwtAuthentication.AllowMissingOrFailed) {
            return new Optional(true, new TokenLocations(providers.values()), checks);
        }
        return new Nothing();
    }

    private static TokenRequirement any(
            JwtAuthentication.RequiresAny any, Map<String, Provider> providers, Map<String, TokenCheck> checks) {
        boolean missing = false;
        boolean failed = false;
        List<TokenRequirement> others = new ArrayList<>();
        for (Requirement requirement : any.any()) {
            missing |= requirement instanceof JwtAuthentication.AllowMissing;
            failed |= requirement instanceof JwtAuthentication.AllowMissingOrFailed;
            if (!(requirement instanceof JwtAuthentication.AllowMissing)
                    && !(requirement instanceof JwtAuthentication.AllowMissingOrFailed)) {
                others.add(of(requirement, providers, checks));
            }
        }
        return others.isEmpty()
                ? new Optional(failed, new TokenLocations(providers.values()), checks)
                : new Any(others, missing, failed);
    }

    private static JwtStatus check(HttpStream stream, Found found, TokenCheck check, Jwt jwt, List<String> audiences, long now) {
        if (check == null || !found.mayBeOf(jwt.issuer())) {
            return JwtStatus.UNKNOWN_ISSUER;
        }
        JwtStatus status = check.check(jwt, audiences, now);
        if (status == JwtStatus.OK) {
            check.forward(stream, found, jwt);
        }
        return status;
    }

    private static final class Nothing extends TokenRequirement {
        @Override
        JwtStatus verify(HttpStream stream, long now) {
            return JwtStatus.OK;
        }

        @Override
        boolean waitsForKeys(HttpStream stream) {
            return false;
        }
    }

    private static final class Single extends TokenRequirement {
        private final TokenCheck check;
        private final TokenLocations locations;
        private final List<String> audiences;

        Single(TokenCheck check, TokenLocations locations, List<String> audiences) {
            this.check = check;
            this.locations = locations;
            this.audiences = audiences;
        }

        /** All tokens must be good: the app could take the one that is not. */
        @Override
        JwtStatus verify(HttpStream stream, long now) {
            check.sanitize(stream);
            List<Found> tokens = locations.find(stream.head());
            if (tokens.isEmpty()) {
                return JwtStatus.MISSING;
            }
            for (int i = tokens.size() - 1; i >= 0; i--) {
                JwtStatus status;
                try {
                    Jwt jwt = Jwt.parse(tokens.get(i).token());
                    status = check(stream, tokens.get(i), check, jwt, audiences, now);
                } catch (Jwt.Malformed malformed) {
                    status = malformed.status();
                }
                if (status != JwtStatus.OK) {
                    return status;
                }
            }
            return JwtStatus.OK;
        }

        @Override
        boolean waitsForKeys(HttpStream stream) {
            return check.keys().pending() && !locations.find(stream.head()).isEmpty();
        }
    }

    /** A token of any provider, found by its issuer. */
    private static final class Optional extends TokenRequirement {
        private final boolean mayFail;
        private final TokenLocations locations;
        private final Map<String, TokenCheck> checks;

        Optional(boolean mayFail, TokenLocations locations, Map<String, TokenCheck> checks) {
            this.mayFail = mayFail;
            this.locations = locations;
            this.checks = checks;
        }

        @Override
        JwtStatus verify(HttpStream stream, long now) {
            checks.values().forEach(check -> check.sanitize(stream));
            List<Found> tokens = locations.find(stream.head());
            for (int i = tokens.size() - 1; i >= 0; i--) {
                JwtStatus status;
                try {
                    Jwt jwt = Jwt.parse(tokens.get(i).token());
                    status = check(stream, tokens.get(i), of(jwt.issuer()), jwt, List.of(), now);
                } catch (Jwt.Malformed malformed) {
                    status = malformed.status();
                }
                if (status != JwtStatus.OK && !mayFail) {
                    return status;
                }
            }
            return JwtStatus.OK;
        }

        /** @return null when nobody issues such a token */
        private TokenCheck of(String issuer) {
            TokenCheck ofAnybody = null;
            for (TokenCheck check : checks.values()) {
                if (check.issuer().equals(issuer)) {
                    return check;
                }
                ofAnybody = check.issuer().isEmpty() && ofAnybody == null ? check : ofAnybody;
            }
            return ofAnybody;
        }

        @Override
        boolean waitsForKeys(HttpStream stream) {
            return checks.values().stream().anyMatch(check -> check.keys().pending())
                    && !locations.find(stream.head()).isEmpty();
        }
    }

    private static final class All extends TokenRequirement {
        private final List<TokenRequirement> all;

        All(List<TokenRequirement> all) {
            this.all = all;
        }

        @Override
        JwtStatus verify(HttpStream stream, long now) {
            for (TokenRequirement requirement : all) {
                JwtStatus status = requirement.verify(stream, now);
                if (status != JwtStatus.OK) {
                    return status;
                }
            }
            return JwtStatus.OK;
        }

        @Override
        boolean waitsForKeys(HttpStream stream) {
            return all.stream().anyMatch(requirement -> requirement.waitsForKeys(stream));
        }
    }

    private static final class Any extends TokenRequirement {
        private final List<TokenRequirement> any;
        private final boolean mayBeMissing;
        private final boolean mayFail;

        Any(List<TokenRequirement> any, boolean mayBeMissing, boolean mayFail) {
            this.any = any;
            this.mayBeMissing = mayBeMissing;
            this.mayFail = mayFail;
        }

        /** Of several failures the one that says most: a bad token before a wrong issuer before none. */
        @Override
        JwtStatus verify(HttpStream stream, long now) {
            JwtStatus failure = JwtStatus.MISSING;
            for (TokenRequirement requirement : any) {
                JwtStatus status = requirement.verify(stream, now);
                if (status == JwtStatus.OK) {
                    return status;
                }
                if (status != JwtStatus.MISSING && status != JwtStatus.UNKNOWN_ISSUER || failure == JwtStatus.MISSING) {
                    failure = status;
                }
            }
            return mayFail || mayBeMissing && failure == JwtStatus.MISSING ? JwtStatus.OK : failure;
        }

        @Override
        boolean waitsForKeys(HttpStream stream) {
            return any.stream().anyMatch(requirement -> requirement.waitsForKeys(stream));
        }
    }
}
