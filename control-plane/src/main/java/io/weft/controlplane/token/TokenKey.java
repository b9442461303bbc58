package io.weft.controlplane.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.weft.controlplane.ca.OwnerOnlyFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The key of one control plane for tokens: JSON Web Tokens (RFC 7519) signed with ES256, that say for whom they are in the claims
 * {@code mesh} and {@code service}, or that their bearer is an operator, who may change policies by the page. Neither stands in for
 * the other. Whoever has the key's file can be anyone in every mesh. Thread-safe.
 */
public final class TokenKey implements Authenticator {

    private static final String ISSUER = "weft";
    private static final String AUDIENCE = "weft-control-plane";
    private static final String OPERATORS = "weft-page";
    private static final String MESH = "mesh";
    private static final String SERVICE = "service";
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(1);
    private static final int MAX_CHARS = 8_192;

    private final ECKey key;
    private final Clock clock;

    private TokenKey(ECKey key, Clock clock) {
        this.key = key;
        this.clock = clock;
    }

    /**
     * Reads the key, or makes it where there is none: the control plane and the command line agree on the one that was first.
     *
     * @param state the control plane's folder
     * @throws IOException the file cannot be used; the message names it
     */
    public static TokenKey in(Path state, Clock clock) throws IOException {
        Path file = state.resolve("token").resolve("signing-key.json");
        byte[] bytes;
        try {
            bytes = OwnerOnlyFile.read(file);
        } catch (NoSuchFileException e) {
            OwnerOnlyFile.create(file, generate().toJSONString().getBytes(StandardCharsets.US_ASCII));
            bytes = OwnerOnlyFile.read(file);
        }
        try {
            ECKey key = ECKey.parse(new String(bytes, StandardCharsets.US_ASCII));
            if (!key.isPrivate() || !key.getCurve().equals(Curve.P_256)) {
                throw new IOException("the token key " + file + " is no private key of P-256");
            }
            return new TokenKey(key, clock);
        } catch (ParseException | IllegalStateException e) {
            // Not its message, which may quote the key.
            throw new IOException("the token key " + file + " is no JSON Web Key; remove it to have a new one made,"
                    + " after which every token has to be issued anew");
        }
    }

    private static ECKey generate() throws IOException {
        try {
            return new ECKeyGenerator(Curve.P_256).keyIDFromThumbprint(true).generate();
        } catch (JOSEException e) {
            throw new IOException("this Java platform cannot make a key of P-256", e);
        }
    }

    /** A token in its compact form. */
    public String issue(String mesh, String service, Duration validFor) {
        return issue(new JWTClaimsSet.Builder().audience(AUDIENCE).claim(MESH, mesh).claim(SERVICE, service), validFor);
    }

    /** A token that proves its bearer to be an operator of this control plane, of every mesh. */
    public String issueForOperator(Duration validFor) {
        return issue(new JWTClaimsSet.Builder().audience(OPERATORS), validFor);
    }

    private String issue(JWTClaimsSet.Builder builder, Duration validFor) {
        Instant now = clock.instant();
        JWTClaimsSet claims = builder
                .issuer(ISSUER)
                .jwtID(UUID.randomUUID().toString())
                .issueTime(Date.from(now))
                .notBeforeTime(Date.from(now.minus(CLOCK_SKEW)))
                .expirationTime(Date.from(now.plus(validFor)))
                .build();
        JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.ES256)
                .type(JOSEObjectType.JWT)
                .keyID(key.getKeyID())
                .build();
        try {
            SignedJWT token = new SignedJWT(header, claims);
            token.sign(new ECDSASigner(key));
            return token.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException("the key can sign", e);
        }
    }

    @Override
    public CompletionStage<Bearer> authenticate(Optional<String> token, String host) {
        if (token.isEmpty()) {
            return CompletableFuture.completedStage(Bearer.nobody(
                    "no token came: make one with weft token, and give its file to the agent as WEFT_CONTROL_PLANE_TOKEN_FILE"));
        }
        try {
            return CompletableFuture.completedStage(Bearer.of(verify(token.get())));
        } catch (InvalidTokenException e) {
            return CompletableFuture.completedStage(Bearer.nobody(e.getMessage()));
        }
    }

    /** What a token proves now, unless it is revoked. */
    public Token verify(String compact) throws InvalidTokenException {
        return unexpired(read(compact));
    }

    /** Like {@link #verify} for the token of an operator, which names neither mesh nor service. */
    public Token verifyOperator(String compact) throws InvalidTokenException {
        return unexpired(read(compact, OPERATORS));
    }

    private Token unexpired(Token token) throws InvalidTokenException {
        if (!clock.instant().isBefore(token.expires())) {
            throw new InvalidTokenException("the token has expired on " + token.expires() + "; make a new one with weft token");
        }
        return token;
    }

    /** What a token of this control plane says, though it may have expired. */
    public Token read(String compact) throws InvalidTokenException {
        return read(compact, AUDIENCE);
    }

    /** Like {@link #read} for the token of an operator. */
    public Token readOperator(String compact) throws InvalidTokenException {
        return read(compact, OPERATORS);
    }

    private Token read(String compact, String audience) throws InvalidTokenException {
        if (compact.length() > MAX_CHARS) {
            throw new InvalidTokenException("the token is longer than " + MAX_CHARS + " characters");
        }
        try {
            SignedJWT token = SignedJWT.parse(compact);
            // The algorithm is ours to choose and not the token's.
            if (!token.getHeader().getAlgorithm().equals(JWSAlgorithm.ES256) || !token.verify(new ECDSAVerifier(key.toECPublicKey()))) {
                throw new InvalidTokenException("the token was not issued by this control plane; make one with weft token");
            }
            return claims(token.getJWTClaimsSet(), audience);
        } catch (ParseException | JOSEException | IllegalStateException e) {
            throw new InvalidTokenException("the token is no JSON Web Token; make one with weft token");
        }
    }

    private Token claims(JWTClaimsSet claims, String audience) throws ParseException, InvalidTokenException {
        Instant now = clock.instant();
        Date expires = claims.getExpirationTime();
        Date notBefore = claims.getNotBeforeTime();
        boolean operator = audience.equals(OPERATORS);
        String mesh = operator ? "" : claims.getStringClaim(MESH);
        String service = operator ? "" : claims.getStringClaim(SERVICE);
        if (!ISSUER.equals(claims.getIssuer()) || !claims.getAudience().contains(audience) || mesh == null || service == null
                || expires == null || claims.getJWTID() == null) {
            throw new InvalidTokenException("the token is not for " + (operator ? "an operator; make one with weft token --operator"
                    : "a data plane; make one with weft token"));
        }
        if (notBefore != null && now.isBefore(notBefore.toInstant())) {
            throw new InvalidTokenException("the token is not valid before " + notBefore.toInstant() + "; compare the machines' clocks");
        }
        return new Token(claims.getJWTID(), mesh, service, expires.toInstant());
    }
}
