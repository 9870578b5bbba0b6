using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>An account's own keys for speech providers. They can be set and removed, and never read again.</summary>
internal static class TtsKeyEndpoints
{
    public static void MapTtsKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/accounts/me/tts_api_keys").WithTags("accounts");
        keys.MapGet("", ListAsync).WithName("GetTtsApiKeys");
        keys.MapPatch("", ChangeAsync).WithName("UpdateTtsApiKeys");
    }

    private static async Task<Ok<Dictionary<string, KeyPrefixResponse>>> ListAsync(Caller caller, ProviderKeyStore store, CancellationToken cancellationToken)
    {
        var prefixes = await store.ListPrefixesAsync(caller.AccountId, cancellationToken);
        return TypedResults.Ok(TtsProvider.All.Where(prefixes.ContainsKey).ToDictionary(p => p.Field, p => new KeyPrefixResponse(prefixes[p])));
    }

    private static async Task<Ok<Dictionary<string, KeyPrefixResponse>>> ChangeAsync(
        Caller caller, Body<TtsKeysPatch> body, ProviderKeyStore store, CancellationToken cancellationToken)
    {
        if (body.Value.Google is { } google && ServiceAccountKey.ProblemOf(google) is { } problem) throw new InvalidInputException("google", problem);
        var changes = new Dictionary<TtsProvider, string?>();
        foreach (var provider in TtsProvider.All)
            if (body.Json.TryGetProperty(provider.Field, out var given)) changes[provider] = given.ValueKind == JsonValueKind.Null ? null : given.GetString();
        await store.ChangeAsync(caller.AccountId, changes, cancellationToken);
        return await ListAsync(caller, store, cancellationToken);
    }
}
