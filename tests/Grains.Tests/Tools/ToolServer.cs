using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Tests.Tools;

/// <summary>A tool's server on loopback that does what the test says.</summary>
internal sealed class ToolServer : IAsyncDisposable
{
    private readonly WebApplication _server;

    private ToolServer(WebApplication server) => _server = server;

    public Func<HttpContext, Task> Handle { get; set; } = _ => Task.CompletedTask;

    /// <summary>Without a slash at the end.</summary>
    public string Url => _server.Urls.Single();

    public int Port => new Uri(Url).Port;

    public static async Task<ToolServer> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var server = new ToolServer(app);
        app.Run(http => server.Handle(http));
        await app.StartAsync(cancellationToken);
        return server;
    }

    public void Answer(int status, string? contentType, byte[] body) => Handle = async http =>
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        if (body.Length > 0) await http.Response.Body.WriteAsync(body, http.RequestAborted);
    };

    /// <summary>The path as it was on the wire.</summary>
    public static string Target(HttpContext http) => http.Features.Get<IHttpRequestFeature>()!.RawTarget;

    public CallTool Tool(string method, string path, params (string Name, ParameterLocation Location)[] parameters) => new()
    {
        CallToolId = "t",
        Name = "tool",
        Definition = new CallToolDefinition
        {
            Http = new HttpToolDetails { BaseUrlPattern = Url + path, HttpMethod = method },
            DynamicParameters = [.. parameters.Select(parameter => new DynamicParameter { Name = parameter.Name, Location = parameter.Location })],
        },
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
