package io.weft.it.harness;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/**
 * Serves a policy under the rules of a real istiod, as the sources of 1.30 have them, and certifies:
 * <ul>
 *   <li>The bearer's token says who it is, whatever its certificate request says.
 *   <li>A node has an id of four parts, with an IP address among them.
 *   <li>A request that is no answer and subscribes to nothing new is a mistake.
 *   <li>Who does not say how its proxy is configured is none to {@code istioctl}.
 *   <li>How a node is comes as a request of a type of its own, to which there is no answer; not as the first of a stream.
 *   <li>The name table has no name. Its messages and those of the certificate service are written here by hand: Envoy's API does not have them.
 * </ul>
 */
public final class IstioControlPlane extends RecordingControlPlane {
    private static final String NAME_TABLE = "type.googleapis.com/istio.networking.nds.v1.NameTable";
    private static final String HEALTH = "type.googleapis.com/istio.v1.HealthInformation";
    private static final String CERTIFICATES = "istio.v1.auth.IstioCertificateService";

    /** Empty: there is none to show. */
    private final String token;
    private final List<String> mistakes = new CopyOnWriteArrayList<>();
    private final List<String> health = new CopyOnWriteArrayList<>();

    private IstioControlPlane(Authority authority, String token, String identity) {
        super(List.of(new Certificates(authority, identity)));
        this.token = token;
    }

    private IstioControlPlane(Path socket) {
        super(socket);
        token = "";
    }

    /**
     * By way of {@code pilot-agent}, beside the app: who can open the socket needs no token, there is no certificate to be had there, and
     * what is no resource of Envoy's is not handed on.
     */
    public static IstioControlPlane byAgent(Path socket) {
        return new IstioControlPlane(socket);
    }

    /** @param identity that it certifies, a SPIFFE ID */
    public static IstioControlPlane start(Authority authority, String token, String identity) {
        return new IstioControlPlane(authority, token, identity);
    }

    /** @param names addresses by host name */
    public void serve(Policy policy, Map<String, String> names) {
        serve(policy, token.isEmpty() ? List.of() : List.of(Any.newBuilder().setTypeUrl(NAME_TABLE).setValue(table(names)).build()));
    }

    /** What a real one would log as an error. */
    public List<String> mistakes() {
        return List.copyOf(mistakes);
    }

    /** What data planes have said of how they are, in order; empty: good. */
    public List<String> health() {
        return List.copyOf(health);
    }

    /** The ids of the data planes that {@code istioctl proxy-status} lists. */
    public List<String> proxies() {
        return dataPlanes().stream().filter(node -> node.getMetadata().containsFields("PROXY_CONFIG")).map(Node::getId).toList();
    }

    @Override
    boolean isTold(String type, String problem) {
        if (type.equals(NAME_TABLE) && token.isEmpty()) {
            mistake("pilot-agent is asked for what it does not hand on: " + type);
            return true;
        }
        if (!type.equals(HEALTH)) {
            return false;
        }
        health.add(problem);
        return true;
    }

    @Override
    Optional<Status> objection(String method, Metadata headers) {
        return token.isEmpty() || ("Bearer " + token).equals(headers.get(AUTHORIZATION))
                ? Optional.empty() : Optional.of(Status.UNAUTHENTICATED.withDescription("authentication failure"));
    }

    @Override
    Optional<String> objection(Node node) {
        String[] parts = node.getId().split("~");
        return parts.length == 4 && parts[0].equals("sidecar") && parts[1].matches("[0-9a-f.:]+")
                ? Optional.empty() : Optional.of("missing parts in the service node " + node.getId());
    }

    @Override
    Duration restAfterRefusal() {
        return Duration.ZERO;
    }

    @Override
    void mistake(String what) {
        mistakes.add(what);
    }

    private static ByteString table(Map<String, String> names) {
        return message(table -> {
            for (Map.Entry<String, String> name : names.entrySet()) {
                table.writeBytes(1, message(entry -> {
                    entry.writeString(1, name.getKey());
                    entry.writeBytes(2, message(host -> host.writeString(1, name.getValue())));
                }));
            }
        });
    }

    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static ByteString message(Fields fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            fields.write(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ByteString.copyFrom(bytes.toByteArray());
    }

    private record Certificates(Authority authority, String identity) implements BindableService {

        @Override
        public ServerServiceDefinition bindService() {
            MethodDescriptor<byte[], byte[]> create = MethodDescriptor.newBuilder(new Bytes(), new Bytes())
                    .setType(MethodDescriptor.MethodType.UNARY)
                    .setFullMethodName(CERTIFICATES + "/CreateCertificate").build();
            return ServerServiceDefinition.builder(CERTIFICATES).addMethod(create, ServerCalls.asyncUnaryCall(this::create)).build();
        }

        private void create(byte[] request, StreamObserver<byte[]> responses) {
            try {
                JcaPKCS10CertificationRequest wanted = new JcaPKCS10CertificationRequest(
                        (PKCS10CertificationRequest) new PEMParser(new StringReader(csr(request))).readObject());
                String leaf = Certified.pem(authority.certify(wanted.getPublicKey(), identity));
                responses.onNext(message(chain -> {
                    chain.writeString(1, leaf);
                    chain.writeString(1, Certified.pem(authority.certificate()));
                }).toByteArray());
                responses.onCompleted();
            } catch (IOException | GeneralSecurityException e) {
                responses.onError(Status.INVALID_ARGUMENT.withDescription("CSR: " + e).asRuntimeException());
            }
        }

        private static String csr(byte[] request) throws IOException {
            CodedInputStream in = CodedInputStream.newInstance(request);
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                if (tag == 10) {
                    return in.readStringRequireUtf8();
                }
                in.skipField(tag);
            }
            throw new IOException("there is none");
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] bytes) {
            return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
