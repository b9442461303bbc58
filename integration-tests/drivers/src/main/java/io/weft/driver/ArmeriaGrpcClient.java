package io.weft.driver;

import com.linecorp.armeria.client.grpc.GrpcClientStubFactory;
import com.linecorp.armeria.client.grpc.GrpcClients;
import io.grpc.Channel;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** gRPC by Armeria's own client: answers what {@link GrpcClient} does, but for what is a channel's own. {@code target} is a URL. */
public final class ArmeriaGrpcClient {
    private ArmeriaGrpcClient() {}

    public static void main(String[] args) throws Exception {
        Map<String, Channel> channels = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, String> form = Form.read(line);
            Channel channel = channels.computeIfAbsent(form.get("target"), ArmeriaGrpcClient::channel);
            System.out.println(Form.write(GrpcClient.answer(channel, form)));
        }
        System.exit(0);
    }

    private static Channel channel(String url) {
        return GrpcClients.builder("gproto+" + url).clientStubFactory(new Stubs()).build(Stub.class).channel;
    }

    /** In the place of what is generated of a service's description. */
    public record Stub(Channel channel) {}

    private static final class Stubs implements GrpcClientStubFactory {
        @Override
        public ServiceDescriptor findServiceDescriptor(Class<?> type) {
            ServiceDescriptor.Builder service = ServiceDescriptor.newBuilder(GrpcClient.SERVICE);
            for (MethodType method : MethodType.values()) {
                if (method != MethodType.UNKNOWN) {
                    service.addMethod(GrpcClient.method(method));
                }
            }
            return service.build();
        }

        @Override
        public Object newClientStub(Class<?> type, Channel channel) {
            return new Stub(channel);
        }
    }
}
