using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>An account's telephony providers: what they are told is kept for calls over them; of secrets only prefixes are read.</summary>
internal static class TelephonyConfigEndpoints
{
    public static void MapTelephonyConfigs(this IEndpointRouteBuilder routes)
    {
        MapProvider<TwilioConfig, TwilioConfigResponse>(routes, "Twilio", config => new(config));
        MapProvider<TelnyxConfig, TelnyxConfigResponse>(routes, "Telnyx", config => new(config));
        MapProvider<PlivoConfig, PlivoConfigResponse>(routes, "Plivo", config => new(config));
        var all = routes.MapGroup("/api/accounts/me/telephony_config").WithTags("accounts");
        all.MapGet("", ListAsync).WithName("GetTelephonyConfig");
        all.MapPatch("", UpdateAllAsync).WithName("UpdateTelephonyConfig");
    }

    private static void MapProvider<TConfig, TResponse>(IEndpointRouteBuilder routes, string name, Func<TConfig, TResponse> show)
        where TConfig : TelephonyConfig where TResponse : TelephonyConfigResponse
    {
        var path = $"/api/telephony_configs/{name.ToLowerInvariant()}";
        var group = routes.MapGroup(path).WithTags("telephony_configs");
        group.MapGet("", async Task<Ok<TResponse>> (Caller caller, TelephonyConfigStore store, CancellationToken cancellationToken)
            => TypedResults.Ok(show(await RequireAsync<TConfig>(store, caller, name, cancellationToken)))).WithName($"Get{name}Config");
        group.MapPost("", async Task<Created<TResponse>> (Caller caller, Body<TConfig> body, TelephonyConfigStore store, CancellationToken cancellationToken) =>
        {
            Check(body.Value, new InputErrors()).ThrowIfAny();
            if (!await store.AddAsync(caller.AccountId, body.Value, cancellationToken))
                throw new InvalidInputException(InputErrors.NonField, $"The account has a configuration for {name} already. Change it with PATCH, or delete it.");
            return TypedResults.Created(path, show(body.Value));
        }).WithName($"Create{name}Config");
        group.MapPatch("", async Task<Ok<TResponse>> (Caller caller, HttpRequest request, TelephonyConfigStore store, CancellationToken cancellationToken) =>
        {
            var given = await JsonBody.ReadAsync(request, cancellationToken);
            var known = await RequireAsync<TConfig>(store, caller, name, cancellationToken);
            var config = JsonRequestReader.Read<TConfig>(JsonChanges.Over(known, given));
            Check(config, new InputErrors()).ThrowIfAny();
            if (!await store.ReplaceAsync(caller.AccountId, config, cancellationToken)) throw NotFound(name);
            return TypedResults.Ok(show(config));
        }).WithName($"Update{name}Config").TakesJson<TConfig>();
        group.MapDelete("", async Task<NoContent> (Caller caller, TelephonyConfigStore store, CancellationToken cancellationToken)
            => await store.DeleteAsync<TConfig>(caller.AccountId, cancellationToken) ? TypedResults.NoContent() : throw NotFound(name)).WithName($"Delete{name}Config");
    }

    private static async Task<Ok<AccountTelephonyResponse>> ListAsync(Caller caller, TelephonyConfigStore store, CancellationToken cancellationToken)
    {
        var twilio = await store.FindAsync<TwilioConfig>(caller.AccountId, cancellationToken);
        var telnyx = await store.FindAsync<TelnyxConfig>(caller.AccountId, cancellationToken);
        var plivo = await store.FindAsync<PlivoConfig>(caller.AccountId, cancellationToken);
        return TypedResults.Ok(new AccountTelephonyResponse(twilio is null ? null : new(twilio), telnyx is null ? null : new(telnyx), plivo is null ? null : new(plivo)));
    }

    private static async Task<Ok<AccountTelephonyResponse>> UpdateAllAsync(
        Caller caller, Body<AccountTelephonyPatch> body, TelephonyConfigStore store, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        Check(body.Value.Twilio, errors.Field("twilio"));
        Check(body.Value.Telnyx, errors.Field("telnyx"));
        Check(body.Value.Plivo, errors.Field("plivo"));
        errors.ThrowIfAny();
        await PutAsync("twilio", body.Value.Twilio);
        await PutAsync("telnyx", body.Value.Telnyx);
        await PutAsync("plivo", body.Value.Plivo);
        return await ListAsync(caller, store, cancellationToken);

        async Task PutAsync<T>(string field, T? config) where T : TelephonyConfig
        {
            if (!body.Json.TryGetProperty(field, out _)) return;
            if (config is null) await store.DeleteAsync<T>(caller.AccountId, cancellationToken);
            else if (!await store.AddAsync(caller.AccountId, config, cancellationToken)) await store.ReplaceAsync(caller.AccountId, config, cancellationToken);
        }
    }

    private static InputErrors Check(TelephonyConfig? config, InputErrors errors)
    {
        if (config is { CallCreationAllowAllAgents: true, CallCreationAllowedAgentIds.Count: > 0 })
            errors.Field("callCreationAllowedAgentIds").Add("May not be set if 'callCreationAllowAllAgents' is true.");
        return errors;
    }

    private static async Task<T> RequireAsync<T>(TelephonyConfigStore store, Caller caller, string name, CancellationToken cancellationToken) where T : TelephonyConfig
        => await store.FindAsync<T>(caller.AccountId, cancellationToken) ?? throw NotFound(name);

    private static PlatformException NotFound(string name) => new(ErrorCode.NotFound, $"The account has no configuration for {name}.");
}
