#include "models/chip/token.h"

namespace imssa {

std::shared_ptr<Token> TokenPool::take(int channels, const std::shared_ptr<const Batch>& batch) {
    std::shared_ptr<Token> token;
    for (std::size_t tried = 0; tried < tokens_.size() && token == nullptr; ++tried) {
        next_ = (next_ + 1) % tokens_.size();
        if (tokens_[next_].use_count() == 1) {
            token = tokens_[next_];
        }
    }
    if (token == nullptr) {
        token = std::make_shared<Token>();
        tokens_.push_back(token);
    }
    token->batch = batch;
    token->step = 0;
    token->first = token->last = false;
    token->residual.reset();
    reshape(token->codes, channels, batch->lanes());
    return token;
}

std::shared_ptr<Token> TokenPool::take(int channels, const Token& source) {
    std::shared_ptr<Token> token = take(channels, source.batch);
    token->step = source.step;
    token->first = source.first;
    token->last = source.last;
    return token;
}

void reshape(LaneMatrix& matrix, int channels, int lanes) {
    if (matrix.channels() != channels || matrix.lanes() != lanes) {
        matrix = LaneMatrix(channels, lanes);
    }
}

}  // namespace imssa
