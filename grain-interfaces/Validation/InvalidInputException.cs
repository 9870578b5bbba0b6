namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>A request that breaks its contract: answered with 400 and <see cref="InputErrors.ToJson"/>. Nothing of it was done.</summary>
public sealed class InvalidInputException(InputErrors errors) : Exception("The request is invalid: " + errors.ToJson().ToJsonString())
{
    public InvalidInputException(string field, string message) : this(One(field, message)) { }

    public InputErrors Errors => errors;

    private static InputErrors One(string field, string message)
    {
        var errors = new InputErrors();
        errors.Field(field).Add(message);
        return errors;
    }
}
