using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>Between messages and the JSON of the REST contract: the protobuf JSON of a message here is that JSON, so there is one set of rules for both.</summary>
internal static class GrpcJson
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>What REST would have been sent; unset fields are absent.</summary>
    /// <exception cref="GrpcException">The message has no JSON form, for example a number that is none.</exception>
    public static JsonElement ToJson(IMessage message)
    {
        try
        {
            return JsonBody.Parse(Encoding.UTF8.GetBytes(Formatter.Format(message)));
        }
        catch (InvalidOperationException problem)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"The message has no JSON form: {problem.Message}");
        }
    }

    /// <summary>What REST would have been sent as a query: lists are repeated parameters, maps have one for each key.</summary>
    public static IQueryCollection ToQuery(IMessage message)
    {
        var query = new Dictionary<string, StringValues>(StringComparer.Ordinal);
        foreach (var field in ToJson(message).EnumerateObject())
        {
            if (field.Value.ValueKind == JsonValueKind.Array) query[field.Name] = field.Value.EnumerateArray().Select(TextOf).ToArray();
            else if (field.Value.ValueKind != JsonValueKind.Object) query[field.Name] = TextOf(field.Value);
            else foreach (var entry in field.Value.EnumerateObject()) query[$"{field.Name}.{entry.Name}"] = TextOf(entry.Value);
        }
        return new QueryCollection(query);
    }

    /// <summary>A REST answer as a message. What the message has no field for is left out.</summary>
    public static T FromAnswer<T>(object answer) where T : IMessage, new() => Parser.Parse<T>(JsonSerializer.Serialize(answer, WireJson.Options));

    public static T FromJson<T>(string json) where T : IMessage, new() => Parser.Parse<T>(json);

    private static string TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
