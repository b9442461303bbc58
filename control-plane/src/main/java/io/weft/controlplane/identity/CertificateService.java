package io.weft.controlplane.identity;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.weft.controlplane.ca.CertificateRequest;
import io.weft.controlplane.ca.Leaf;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.ca.UnusableRootException;
import io.weft.controlplane.port.Connection;
import io.weft.controlplane.registry.TurnedAwayLog;
import io.weft.controlplane.token.Bearer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Istio's {@code istio.v1.auth.IstioCertificateService}: a certificate for whoever proves who it is, by a request whose key stays
 * where it was made. As with istiod, what the request says of names does not count, and the roots come last in the answer.
 */
public final class CertificateService implements BindableService {

    private static final Logger LOG = LoggerFactory.getLogger(CertificateService.class);
    private static final TurnedAwayLog TURNED_AWAY = new TurnedAwayLog(LOG::warn);
    private static final int CSR = 1;
    private static final int VALIDITY_SECONDS = 3;
    private static final int CERTIFICATE_CHAIN = 1;
    private static final Duration MIN_VALIDITY = Duration.ofSeconds(1);

    private static final MethodDescriptor<Request, Answer> CREATE = MethodDescriptor.<Request, Answer>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("istio.v1.auth.IstioCertificateService/CreateCertificate")
            .setRequestMarshaller(new RequestMarshaller())
            .setResponseMarshaller(new AnswerMarshaller())
            .build();

    private final Admission admission;
    private final Function<String, MeshSecurity> meshes;

    /** {@code IstioCertificateRequest}. */
    private record Request(String csr, long validitySeconds) {}

    /** {@code IstioCertificateResponse}. */
    private record Answer(List<String> chain) {}

    /** @param meshes what holds in a mesh now */
    public CertificateService(Admission admission, Function<String, MeshSecurity> meshes) {
        this.admission = admission;
        this.meshes = meshes;
    }

    @Override
    public ServerServiceDefinition bindService() {
        return ServerServiceDefinition.builder("istio.v1.auth.IstioCertificateService")
                .addMethod(CREATE, ServerCalls.asyncUnaryCall(this::create))
                .build();
    }

    private void create(Request request, StreamObserver<Answer> answers) {
        Answer answer;
        try {
            answer = issue(request);
        } catch (StatusException e) {
            TURNED_AWAY.say("a certificate is refused: " + e.getStatus().getDescription());
            answers.onError(e);
            return;
        }
        answers.onNext(answer);
        answers.onCompleted();
    }

    private Answer issue(Request request) throws StatusException {
        Admission.Proved proved;
        CertificateRequest key;
        try {
            proved = admission.proof(Bearer.current(), "nobody gets a certificate without a token");
            Connection.current().admitted(Bearer.current());
            key = CertificateRequest.parse(request.csr);
        } catch (Admission.RefusedException e) {
            throw e.status().asException();
        } catch (CertificateRequest.UnusableRequestException e) {
            throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asException();
        }
        MeshSecurity security = meshes.apply(proved.mesh());
        Identity identity = security.identity(proved.workload())
                .orElseThrow(() -> Status.FAILED_PRECONDITION
                        .withDescription("no MeshIdentity of mesh " + proved.mesh() + " is for service " + proved.workload())
                        .asException());
        Duration asked = Duration.ofSeconds(Math.max(0, Math.min(request.validitySeconds, Integer.MAX_VALUE)));
        boolean shorter = asked.compareTo(MIN_VALIDITY) >= 0 && asked.compareTo(identity.lifetime()) < 0;
        Leaf leaf;
        try {
            leaf = identity.issue(key.key(), shorter ? asked : identity.lifetime());
        } catch (UnusableRootException e) {
            throw Status.FAILED_PRECONDITION
                    .withDescription("mesh " + proved.mesh() + " cannot give certificates: " + e.getMessage())
                    .asException();
        }
        LOG.debug("certificate {} for {}", leaf.certificate().getSerialNumber(), identity.spiffeId());
        List<String> chain = new ArrayList<>();
        leaf.chain().forEach(certificate -> chain.add(Pem.of(certificate)));
        chain.add(Pem.of(identity.authority().bundle()));
        return new Answer(chain);
    }

    private static final class RequestMarshaller implements MethodDescriptor.Marshaller<Request> {

        @Override
        public InputStream stream(Request value) {
            throw new UnsupportedOperationException("only clients send requests");
        }

        @Override
        public Request parse(InputStream stream) {
            try {
                CodedInputStream input = CodedInputStream.newInstance(stream);
                String csr = "";
                long validity = 0;
                for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
                    if (tag == (CSR << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
                        csr = input.readStringRequireUtf8();
                    } else if (tag == (VALIDITY_SECONDS << 3 | WireFormat.WIRETYPE_VARINT)) {
                        validity = input.readInt64();
                    } else {
                        input.skipField(tag);
                    }
                }
                return new Request(csr, validity);
            } catch (IOException e) {
                throw Status.INVALID_ARGUMENT.withDescription("no IstioCertificateRequest: " + e.getMessage()).asRuntimeException();
            }
        }
    }

    private static final class AnswerMarshaller implements MethodDescriptor.Marshaller<Answer> {

        @Override
        public InputStream stream(Answer value) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream output = CodedOutputStream.newInstance(bytes);
            try {
                for (String certificate : value.chain) {
                    output.writeString(CERTIFICATE_CHAIN, certificate);
                }
                output.flush();
            } catch (IOException e) {
                throw new UncheckedIOException("into memory", e);
            }
            return new ByteArrayInputStream(bytes.toByteArray());
        }

        @Override
        public Answer parse(InputStream stream) {
            throw new UnsupportedOperationException("only clients read answers");
        }
    }
}
