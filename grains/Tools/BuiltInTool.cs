using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Tools;

/// <summary>A tool that the server itself carries out. Ids are the documented one of <c>hangUp</c> and our own; they never change.</summary>
/// <param name="ToolId">As <c>selectedTools.toolId</c> names it.</param>
/// <param name="Definition">Its name, description and parameters. It has no implementation that could be called from outside.</param>
public sealed record BuiltInTool(string ToolId, BaseToolDefinition Definition)
{
    /// <summary>What lists show and sort by; older than any account's own tools.</summary>
    public static readonly DateTimeOffset Created = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public string Name => Definition.ModelToolName!;

    public Tool ToTool() => new() { ToolId = ToolId, Name = Name, Created = Created, Definition = Definition, IsPublic = true };

    /// <summary>All built-in tools, as documented.</summary>
    public static IReadOnlyList<BuiltInTool> All { get; } =
    [
        Tool("56294126-5a7d-4948-b67d-3b7e13d55ea7", "hangUp",
            "Ends the call. Use it when the conversation has come to its natural end, after saying goodbye.",
            [Dynamic("reason", "string", "A brief reason for hanging up.")],
            [Fixed("strict", true)]),
        Tool("9b4f2c61-6d0e-4a7b-8f53-1c2d7e90a4b1", "leaveVoicemail",
            "Leaves a message on a voicemail system and ends the call. Use it only when a voicemail greeting was heard.",
            [Dynamic("message", "string", "The message to leave.", required: true)],
            [Fixed("strict", true), Fixed("result", "[Leaving voicemail...]")]),
        Tool("c7d1e5f4-2a83-4e96-b0c8-5f6a3b7d9e12", "playDtmfSounds",
            "Plays telephone keypad tones, for example to choose from the menu of another telephone system.",
            [Dynamic("digits", "string", "The keys to play: 0-9, *, #, A-D.", required: true)],
            [Fixed("toneDuration", "0.2s"), Fixed("spaceDuration", "0.1s")],
            [new() { Name = "sampleRate", Location = ParameterLocation.Body, KnownValue = KnownParameter.OutputSampleRate }]),
        Tool("3e8a7d90-5b1c-4f2e-9d64-8c0b2a6f1e35", "queryCorpus",
            "Looks up information in the knowledge base. Use it for every question that it may answer.",
            [
                Dynamic("query", "string", "What to look for, in words that the answer may hold.", required: true),
                Dynamic("max_results", new JsonObject { ["type"] = "integer", ["description"] = "How many passages to return.", ["minimum"] = 1, ["maximum"] = 20, ["default"] = 5 }),
            ],
            [Fixed("corpus_id", null), Fixed("minimum_score", 0)], required: ["corpus_id"]),
        Tool("f5c2b8a7-1d94-4c3f-a6e0-7b9d4e2c8f61", "coldTransfer",
            "Transfers the call to a person and leaves it.",
            [],
            [
                Fixed("target", null), Fixed("extraHeaders", null), Fixed("holdMusicUrl", null), Fixed("sipVerb", "REFER"),
                Fixed("from", null), Fixed("username", null), Fixed("password", null),
            ], required: ["target"]),
        Tool("a2d6f9e3-7c58-4b10-8e47-6f3c1d5b0a92", "warmTransfer",
            "Calls a person, tells them what the conversation is about, and connects the caller once they accept.",
            [
                Dynamic("context", "string", "What the person must know to take over the conversation.", required: true),
            ],
            [
                Fixed("target", null), Fixed("from", null), Fixed("username", null), Fixed("password", null), Fixed("inviteHeaders", null), Fixed("holdMusicUrl", null),
                Fixed("transferSystemPromptTemplate", null), Fixed("transferType", "TRY_REFER"), Fixed("referHeaders", null),
            ], required: ["target"]),
    ];

    private static BuiltInTool Tool(
        string id, string name, string description, DynamicParameter[] dynamic, StaticParameter[] fixedOnes, AutomaticParameter[]? automatic = null, string[]? required = null)
        => new(id, new BaseToolDefinition
        {
            ModelToolName = name,
            Description = description,
            DynamicParameters = dynamic,
            StaticParameters = fixedOnes,
            AutomaticParameters = automatic ?? [],
            Requirements = required is null ? null : new() { RequiredParameterOverrides = required },
        });

    private static DynamicParameter Dynamic(string name, string type, string description, bool required = false)
        => Dynamic(name, new JsonObject { ["type"] = type, ["description"] = description }, required);

    private static DynamicParameter Dynamic(string name, JsonObject schema, bool required = false)
        => new() { Name = name, Location = ParameterLocation.Body, Schema = schema, Required = required };

    private static StaticParameter Fixed(string name, JsonNode? value) => new() { Name = name, Location = ParameterLocation.Body, Value = value };
}
