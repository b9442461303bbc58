package io.weft.controlplane.source;

import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.identity.TokenAdmission;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.registry.StateLock;
import io.weft.controlplane.token.Authenticator;
import io.weft.controlplane.token.InvalidTokenException;
import io.weft.controlplane.token.RevokedTokens;
import io.weft.controlplane.token.TokenKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** A folder of policies, and one for what a restart needs, which no other control plane may use. */
public final class FolderPlatform implements Platform {

    private final StateLock lock;
    private final ResourceParser parser = new ResourceParser();
    private final Source source;
    private final TokenKey tokenKey;
    private final RevokedTokens revoked;
    private final Authorities authorities;
    private final StateFile registrations;

    /**
     * @param state created when needed
     * @throws IOException another control plane has this state, or the tokens' key or the list of those that are revoked cannot be used
     */
    public FolderPlatform(Path policies, Path state, Clock clock) throws IOException {
        lock = StateLock.take(state);
        try {
            tokenKey = TokenKey.in(state, clock);
            revoked = RevokedTokens.in(state);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
        source = new FolderSource(policies, parser);
        authorities = new Authorities(mesh -> new RootFile(state, mesh), clock);
        registrations = new StateFile(state);
    }

    @Override
    public Source source() {
        return source;
    }

    @Override
    public ResourceParser parser() {
        return parser;
    }

    @Override
    public Authenticator authenticator() {
        return tokenKey;
    }

    @Override
    public Optional<String> replica() {
        return Optional.empty();
    }

    @Override
    public Admission admission(Predicate<String> demanded, BooleanSupplier ofAll) {
        return new TokenAdmission(demanded, ofAll, revoked::contains);
    }

    @Override
    public boolean isOperator(String token) {
        try {
            return !revoked.contains(tokenKey.verifyOperator(token));
        } catch (InvalidTokenException e) {
            return false;
        }
    }

    @Override
    public Authorities authorities() {
        return authorities;
    }

    @Override
    public boolean proofsChanged() {
        return revoked.changed();
    }

    @Override
    public Optional<StateFile> registrations() {
        return Optional.of(registrations);
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
