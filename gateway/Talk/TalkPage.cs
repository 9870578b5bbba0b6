using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Gateway.Talk;

/// <summary>The files of the talk page, which are built from <c>console/</c> into this assembly where Node is installed.</summary>
public sealed class TalkPage
{
    private const string Folder = "talk/";

    /// <summary>
    /// Nothing but what the page brings itself; calls may be on another server, whose address the page learns with them. Nobody may frame a page that has
    /// a microphone.
    /// </summary>
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; media-src 'self' blob:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Missing = """
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Talk</title>
        <p>This server was built without the talk page, because Node.js was not installed.
        <p>Install it (Debian: <code>apt-get install -y nodejs npm</code>) and start <code>./run</code> again.

        """;

    private readonly Lazy<FrozenDictionary<string, PageFile>> _files = new(Read);

    /// <summary>Whether the page is part of this build.</summary>
    public static bool IsBuilt { get; } = typeof(TalkPage).Assembly.GetManifestResourceInfo(Folder + "index.html") is not null;

    /// <summary>Answers with a file of the page.</summary>
    /// <param name="name">As it was built, for example <c>assets/index-x.js</c>.</param>
    internal Task AnswerAsync(HttpContext context, string name)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()";
        if (_files.Value.TryGetValue(name, out var file)) return WriteAsync(context, file);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        if (IsBuilt || name != "index.html") return Task.CompletedTask;
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(Missing, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, PageFile file)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = file.Tag;
        response.Headers.Vary = "Accept-Encoding";
        // Names of assets change with what is in them.
        response.Headers.CacheControl = file.Name.StartsWith("assets/", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache";
        if (request.Headers.IfNoneMatch.ToString() == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        var isPacked = request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        var body = isPacked ? file.Packed : file.Plain;
        if (isPacked) response.Headers.ContentEncoding = "gzip";
        response.ContentType = file.ContentType;
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(request.Method)) await response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static FrozenDictionary<string, PageFile> Read()
    {
        var assembly = typeof(TalkPage).Assembly;
        var files = new List<PageFile>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Folder, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(resource)!;
            using var plain = new MemoryStream();
            stream.CopyTo(plain);
            files.Add(PageFile.From(resource[Folder.Length..], plain.ToArray()));
        }
        return files.ToFrozenDictionary(file => file.Name, StringComparer.Ordinal);
    }

    private sealed record PageFile(string Name, string ContentType, string Tag, byte[] Plain, byte[] Packed)
    {
        public static PageFile From(string name, byte[] plain)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(plain);
            return new(name, TypeOf(name), $"\"{Convert.ToHexStringLower(SHA256.HashData(plain)[..8])}\"", plain, packed.ToArray());
        }

        private static string TypeOf(string name) => Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };
    }
}
