using System.Text.Json;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Connection;

/// <summary>Reads bodies of the connection API under the limits of all bodies; what is no JSON is 422 here.</summary>
internal static class ConnectionBody
{
    /// <exception cref="UnprocessableException">It is no JSON.</exception>
    public static async Task<JsonElement> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonBody.ReadAsync(request, cancellationToken);
        }
        catch (PlatformException broken) when (broken.Code == HttpErrors.ParseError)
        {
            throw RequestProblems.Single([], broken.Message, "json_invalid");
        }
    }
}
