import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.AccessLogValve;
import org.apache.coyote.ajp.AbstractAjpProtocol;

/**
 * Tomcat's AJP connector with a servlet that answers every request with the same bytes of JSON.
 *
 * <p>Arguments: port, secret, bytes, and "logged" for an access log as the server.xml has it that comes with Tomcat.
 */
public final class AjpTomcat {
    private AjpTomcat() {}

    public static void main(String[] arguments) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING);
        byte[] body = arguments[2].getBytes(StandardCharsets.US_ASCII);
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(Files.createTempDirectory("ua-tomcat").toString());
        Connector connector = new Connector("AJP/1.3");
        connector.setPort(Integer.parseInt(arguments[0]));
        @SuppressWarnings("deprecation")
        AbstractAjpProtocol<?> protocol = (AbstractAjpProtocol<?>) connector.getProtocolHandler();
        protocol.setSecret(arguments[1]);
        protocol.setAddress(java.net.InetAddress.getByName("127.0.0.1"));
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "answer", new HttpServlet() {
            @Override
            protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
                response.setStatus(200);
                response.setHeader("Cache-Control", "no-store");
                response.setContentType("application/json");
                response.setContentLength(body.length);
                response.getOutputStream().write(body);
            }
        });
        context.addServletMappingDecoded("/*", "answer");
        if (arguments.length > 3) {
            AccessLogValve log = new AccessLogValve();
            log.setDirectory("logs");
            log.setPattern("%h %l %u %t \"%r\" %s %b");
            tomcat.getHost().getPipeline().addValve(log);
        }
        tomcat.start();
        System.out.println("ready");
        System.out.flush();
        tomcat.getServer().await();
    }
}
