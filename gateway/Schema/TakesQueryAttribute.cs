using Microsoft.AspNetCore.Builder;

namespace VoiceGrains.Gateway.Schema;

/// <summary>
/// Query parameters for the API's description: of the record that reads them, or of an end point that reads them itself. Each is a name, and after a colon
/// its type (<c>pageSize:integer</c>) or its choices (<c>mode:last_stage|in_call</c>); text otherwise. An asterisk at the end says that it may be repeated.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TakesQueryAttribute(params string[] parameters) : Attribute
{
    public IReadOnlyList<string> Parameters => parameters;
}

/// <summary>A body that a handler reads itself; one that it takes as <c>Body&lt;T&gt;</c> need not be told.</summary>
/// <param name="Type">What the JSON reads as; null for a file with fields.</param>
/// <param name="Fields">Of a form beside its <c>file</c>; an exclamation mark at the end says that it is required.</param>
internal sealed record TakesBody(Type? Type, params IReadOnlyList<string> Fields);

/// <summary>What an answer of 200 is where the handler's type does not tell.</summary>
/// <param name="Type">Of JSON; null for bytes.</param>
internal sealed record Answers(int Status, Type? Type, string ContentType = "application/json");

internal static class SchemaMetadata
{
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder endpoint, params string[] parameters) => endpoint.WithMetadata(new TakesQueryAttribute(parameters));

    public static RouteHandlerBuilder TakesJson<T>(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new TakesBody(typeof(T)));

    public static RouteHandlerBuilder TakesUpload(this RouteHandlerBuilder endpoint, params string[] fields) => endpoint.WithMetadata(new TakesBody(null, fields));

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder endpoint, int status = 200) => endpoint.WithMetadata(new Answers(status, typeof(T)));

    public static RouteHandlerBuilder AnswersSound(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new Answers(200, null, "audio/wav"));
}
