package io.weft.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Connection.Peer;
import io.weft.dataplane.Connection.Shown;
import io.weft.dataplane.ServerTls;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.SubjectAltName;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TlsContext.Version;
import io.weft.policy.model.TransportSocket.DownstreamTls;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whether a client that is connected would be let in still, after a change of certificate or trust. */
class ServerTrustTest {
    private static final String SHOP = "spiffe://mesh/shop";
    private static final Authority OLD = new Authority("root");
    private static final Authority NEW = new Authority("root");
    private static final Authority OTHER = new Authority("other");

    private final MeshTls tls = new MeshTls();

    private ServerTls server(Certified own, boolean required, TlsContext.ValidationSource validation) {
        TlsContext context = new TlsContext(
                new TlsContext.Parameters(Version.TLS_1_2, Version.TLS_1_3, List.of()),
                List.of(),
                Optional.of(new TlsContext.InlineCertificate(new TlsCertificate(List.of(own.certificate()), own.key()))),
                validation);
        return tls.server(new DownstreamTls(context, required), Map.of()).orElseThrow();
    }

    private ServerTls trusting(List<SubjectAltName> names, Authority... roots) {
        return server(OLD.certify("spiffe://mesh/orders"), true, new TlsContext.InlineValidation(new CertificateValidation(
                new CertificateValidation.Authorities(Stream.of(roots).map(Authority::certificate).toList()),
                names, List.of(), List.of())));
    }

    private static Peer peer(Certified... shown) {
        return new Peer(List.of(), List.of(), "", new Shown(Stream.of(shown).map(Certified::certificate).toList(), List.of()));
    }

    @Test
    void whoIsOfARootThatIsTrustedStillStays() {
        ServerTls before = trusting(List.of(), OLD);
        ServerTls overlap = trusting(List.of(), OLD, NEW);
        ServerTls after = trusting(List.of(), NEW);
        Peer ofOld = peer(OLD.certify(SHOP));
        Peer ofNew = peer(NEW.certify(SHOP));

        assertThat(overlap.stillAdmits(ofOld, before)).isTrue();
        assertThat(after.stillAdmits(ofNew, overlap)).isTrue();
        assertThat(after.stillAdmits(ofOld, overlap)).isFalse();
        assertThat(after.stillAdmits(ofOld, overlap)).as("asked again").isFalse();
        assertThat(trusting(List.of(), OTHER).stillAdmits(ofNew, after)).isFalse();
    }

    @Test
    void anotherCertificateOfItsOwnChangesNothing() {
        ServerTls before = trusting(List.of(), OLD);
        Peer expiredMeanwhile = peer(OLD.certify(Duration.ofDays(-2), Authority.uri(SHOP)));
        assertThat(trusting(List.of(), OLD).stillAdmits(expiredMeanwhile, before))
                .as("that it expires is looked at elsewhere").isTrue();
    }

    @Test
    void whoHasNoNameThatIsAskedForHasToGo() {
        ServerTls before = trusting(List.of(), OLD);
        ServerTls shopsOnly = trusting(
                List.of(new SubjectAltName(SubjectAltName.Kind.URI, new StringMatch.Exact(SHOP, false))), OLD);
        assertThat(shopsOnly.stillAdmits(peer(OLD.certify(SHOP)), before)).isTrue();
        assertThat(shopsOnly.stillAdmits(peer(OLD.certify("spiffe://mesh/users")), before)).isFalse();
    }

    @Test
    void whoHasShownNothingStaysWhereNobodyHasTo() {
        Certified own = OLD.certify("spiffe://mesh/orders");
        ServerTls open = server(own, false, new TlsContext.NoValidation());
        ServerTls asking = trusting(List.of(), OLD);
        assertThat(asking.stillAdmits(peer(), open)).isFalse();
        assertThat(open.stillAdmits(peer(), asking)).isTrue();
        assertThat(open.stillAdmits(peer(OTHER.certify(SHOP)), asking)).isTrue();
    }
}
