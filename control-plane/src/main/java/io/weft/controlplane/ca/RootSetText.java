package io.weft.controlplane.ca;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Roots with their keys as JSON, in a file or a Secret. */
public final class RootSetText {

    private static final int FORMAT = 1;
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private record Content(int format, Signer signing, Coming next, List<Gone> former) {}

    private record Signer(String certificate, String key) {}

    private record Coming(String certificate, String key, String signsFrom) {}

    private record Gone(String certificate, String trustedUntil) {}

    private RootSetText() {}

    /** @throws IOException it is not of this form; the message quotes nothing of it */
    public static RootSet read(byte[] bytes) throws IOException {
        Content content;
        try {
            content = present(JSON.readValue(bytes, Content.class), "format");
        } catch (JsonProcessingException e) {
            // Not its message, which quotes what may be a key.
            throw new IOException("not valid JSON, line " + e.getLocation().getLineNr());
        }
        try {
            if (content.format != FORMAT) {
                throw new IOException("has format " + content.format + ", not " + FORMAT);
            }
            List<RootSet.Former> former = new ArrayList<>();
            for (Gone gone : present(content.former, "former")) {
                former.add(new RootSet.Former(
                        Pem.certificates(present(present(gone, "former").certificate, "former.certificate")).get(0),
                        Instant.parse(present(gone.trustedUntil, "former.trustedUntil"))));
            }
            Optional<RootSet.Next> next = content.next == null
                    ? Optional.empty()
                    : Optional.of(new RootSet.Next(
                            root(content.next.certificate, content.next.key),
                            Instant.parse(present(content.next.signsFrom, "next.signsFrom"))));
            Signer signing = present(content.signing, "signing");
            return new RootSet(root(signing.certificate, signing.key), next, former);
        } catch (DateTimeParseException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static <T> T present(T value, String field) throws IOException {
        if (value == null) {
            throw new IOException("lacks " + field);
        }
        return value;
    }

    private static Root root(String certificate, String key) throws IOException {
        List<X509Certificate> chain = Pem.certificates(present(certificate, "certificate"));
        Root root = new Root(chain, Pem.key(present(key, "key"), chain.get(0).getPublicKey().getAlgorithm()));
        if (!root.fits()) {
            throw new IOException("a key does not belong to its certificate");
        }
        return root;
    }

    public static byte[] write(RootSet roots) {
        Coming next = roots.next()
                .map(coming -> new Coming(
                        Pem.of(coming.root().chain()), Pem.of(coming.root().key()), coming.signsFrom().toString()))
                .orElse(null);
        List<Gone> former = roots.former().stream()
                .map(gone -> new Gone(Pem.of(gone.certificate()), gone.trustedUntil().toString()))
                .toList();
        Signer signing = new Signer(Pem.of(roots.signing().chain()), Pem.of(roots.signing().key()));
        try {
            return JSON.writeValueAsBytes(new Content(FORMAT, signing, next, former));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("records of strings", e);
        }
    }
}
