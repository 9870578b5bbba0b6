using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace VoiceGrains.Gateway.Preconditions;

/// <summary>
/// Strong entity tags (RFC 9110 §8.8.3): <c>"{version}-{hash of the body}"</c>. The whole tag changes with every byte of the answer, so that a copy
/// can be kept; its version alone is what <see cref="IfMatch"/> compares, so that a call that an agent had meanwhile is no change of the agent.
/// </summary>
internal static class EntityTags
{
    private const int HashBytes = 9;

    /// <summary>Tags answers of 200 and 201 that are <see cref="IVersioned"/>, and answers reads that name the present tag in <c>If-None-Match</c> with 304.</summary>
    public static RouteHandlerBuilder WithEntityTag(this RouteHandlerBuilder endpoint) => endpoint.AddEndpointFilter(static async (context, next) =>
    {
        var result = await next(context);
        if (result is not (IStatusCodeHttpResult { StatusCode: { } status } and IValueHttpResult { Value: IVersioned value })) return result;
        // Of what was created (RFC 9110 §15.3.2). The result itself writes where that is.
        if (status == StatusCodes.Status201Created) context.HttpContext.Response.Headers.ETag = TagOf(value, BodyOf(value, context.HttpContext)).ToString();
        return status == StatusCodes.Status200OK ? new Tagged(value) : result;
    });

    /// <summary>The version that a tag of ours names; null for any other.</summary>
    public static long? VersionOf(EntityTagHeaderValue tag)
    {
        var text = tag.Tag.AsSpan().Trim('"');
        var end = text.IndexOf('-');
        return !tag.IsWeak && end > 0 && long.TryParse(text[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
    }

    private static byte[] BodyOf(IVersioned value, HttpContext context)
        => JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions);

    private static EntityTagHeaderValue TagOf(IVersioned value, byte[] body)
        => new($"\"{value.Version}-{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(..HashBytes))}\"");

    private sealed class Tagged(IVersioned value) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            var body = BodyOf(value, context);
            var tag = TagOf(value, body);
            context.Response.Headers.ETag = tag.ToString();
            context.Response.Headers.CacheControl = "private, no-cache";     // kept by its owner alone, who asks each time
            if (IsKnown(context.Request, tag))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }

        /// <summary>Weak comparison, as RFC 9110 §13.1.2 says. A header that is none is ignored: the client then gets more than it needs.</summary>
        private static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag)
            => (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && request.Headers.IfNoneMatch.Count > 0
               && EntityTagHeaderValue.TryParseList([.. request.Headers.IfNoneMatch.OfType<string>()], out var known)
               && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false));
    }
}
