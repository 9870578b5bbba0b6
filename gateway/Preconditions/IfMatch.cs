using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Preconditions;

/// <summary>
/// The header <c>If-Match</c> (RFC 9110 §13.1.1): write only if nobody else has meanwhile. It is not compared here but where the write happens, in one step with it.
/// </summary>
/// <param name="Versions">Those that may be written over; null for any. Empty when the tags are none of ours, which nothing matches.</param>
public sealed record IfMatch(long[]? Versions)
{
    public static ValueTask<IfMatch?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult<IfMatch?>(Read(context.Request.Headers));

    /// <exception cref="PlatformException"><see cref="HttpErrors.ParseError"/>: a condition that cannot be read must not be taken for none.</exception>
    internal static IfMatch Read(IHeaderDictionary headers)
    {
        if (headers.IfMatch.Count == 0) return new((long[]?)null);
        if (!EntityTagHeaderValue.TryParseStrictList([.. headers.IfMatch.OfType<string>()], out var tags))
            throw new PlatformException(HttpErrors.ParseError, "If-Match must be * or a list of entity tags in double quotes.");
        return new(tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any)) ? null : [.. tags.Select(EntityTags.VersionOf).OfType<long>()]);
    }
}
